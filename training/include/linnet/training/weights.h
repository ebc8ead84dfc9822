// Weights that others have trained: reading them, and making them fit a network of ours.
#pragma once

#include <string>
#include <vector>

#include "linnet/model.h"

namespace linnet::training {

/// Reads a state dict: safetensors, or what torch.save wrote (.pth, .pth.tar; zip or the older format), recognised by
/// content. A dictionary with the state dict under "state_dict", "model" or "model_state_dict" is looked into. Pickles
/// are read without running anything: tensors, dictionaries, lists, numbers and texts; all else is an error that names
/// it. Float tensors of other widths become float32, whole-number scalars too. Throws linnet::Error.
Weights read_weights(const std::string& path);

struct AdaptOptions {
  bool drop_background = false;   ///< the first class stands for none of them: its row of the last layer goes
  bool leave_out_others = false;  ///< tensors of layers that the graph lacks go, as behind a backbone
  const Weights* head = nullptr;  ///< give the last layer its tensors where it is missing or for other classes
  bool always_new_head = false;   ///< with `head`: in any case
};

/// Makes weights fit a graph as far as that has one meaning only: takes off a prefix "module." that all names have,
/// the background class if asked, and as timm does it lets a first convolution for three channels serve another number
/// (one: the sum; more: repeated and scaled by 3 / n). Returns what was done, for people. Throws linnet::Error if the
/// weights do not fit then; a wrong number of classes names the layer and both numbers.
std::vector<std::string> adapt_weights(const Graph& graph, Weights& weights, const AdaptOptions& options = {});

/// The parameters of the last layer that has any: the one whose outputs are the classes.
std::vector<Parameter> classifier_parameters(const Graph& graph);

}  // namespace linnet::training
