// What the fields of a recipe mean to the parts of a run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linnet/graph.h"
#include "linnet/training/checkpoint.h"
#include "linnet/training/ema.h"
#include "linnet/training/loader.h"
#include "linnet/training/losses.h"
#include "linnet/training/optimisers.h"
#include "linnet/training/recipe.h"
#include "linnet/training/schedules.h"

namespace linnet::training {

struct Datasets {
  std::shared_ptr<const Dataset> train, validation;
};

/// Opens or draws both; `problems` gets a message for each damaged picture that was left out. Throws linnet::Error if
/// they have other classes.
Datasets open_datasets(const Recipe& recipe, std::vector<std::string>& problems);

/// What this run would have in its checkpoints.
Origin origin_of(const Datasets& data);

/// "CPU A, now B" for each part that differs, but for the data.
std::vector<std::string> differences(const Origin& before, const Origin& now);

/// Throws linnet::Error if the data has more classes than the recipe says.
Graph build_graph(const Recipe& recipe, const Dataset& train);

Preprocessing preprocessing_of(const Recipe& recipe);
LoaderOptions training_loader_options(const Recipe& recipe, const Graph& graph);
LoaderOptions validation_loader_options(const Recipe& recipe, const Graph& graph);

/// The names of all tensors that stay as they are, in the order of parameters(graph). Throws linnet::Error if a pattern
/// matches none.
std::vector<std::string> kept_tensors(const Recipe& recipe, const Graph& graph);

/// Throws linnet::Error if a factor cannot be read.
OptimiserOptions optimiser_options_of(const Recipe& recipe);
EmaOptions ema_options_of(const Recipe& recipe);

/// Throws linnet::Error if there is not one weight per class.
LossOptions loss_options_of(const Recipe& recipe, const Graph& graph);

/// In the unit of the recipe: steps or epochs.
Schedule schedule_of(const Recipe& recipe, Integer steps_per_epoch);

/// Where in the schedule the step with index `step` is.
double schedule_time(const Recipe& recipe, Integer step, Integer steps_per_epoch);

}  // namespace linnet::training
