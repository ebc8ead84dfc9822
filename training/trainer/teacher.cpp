#include "training/trainer/teacher.h"

#include <algorithm>
#include <utility>

#include "linnet/error.h"

namespace linnet::training {

Teacher::Teacher(const std::string& path, const Graph& student, const Preprocessing& preprocessing, Index batch,
                 std::shared_ptr<ThreadPool> pool) {
  Model model = load_model(path);
  const auto require_equal = [&path](const char* what, Index found, Index expected) {
    if (found != expected)
      throw Error(path + " (field 'loss.teacher'): the teacher has " + std::to_string(found) + " " + what +
                  ", the student " + std::to_string(expected));
  };
  const Shape& picture = student.input().shape;
  require_equal("outputs", static_cast<Index>(model.graph.output_nodes().size()), 1);
  require_equal("channels", model.graph.input().shape[2], picture[2]);
  model.graph.nodes.front().shape = picture;
  infer_shapes(model.graph);
  require_equal("classes", model.graph.output().shape.back(), student.output().shape.back());

  // The pictures come normalised for the student; the teacher may have learned from others.
  const std::size_t count = static_cast<std::size_t>(picture[2]);
  const bool swapped = (model.preprocessing.channel_order == "BGR") != (preprocessing.channel_order == "BGR");
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = swapped ? count - 1 - i : i;
    const float std = model.preprocessing.std[i];
    channels_.push_back(
        {from, preprocessing.std[from] / std, (preprocessing.mean[from] - model.preprocessing.mean[i]) / std});
  }

  CompileOptions options;
  options.batch = batch;
  options.threads = pool->threads();
  session_ = std::make_unique<Session>(compile(model, options), std::move(pool));
  input_.assign(static_cast<std::size_t>(element_count(session_->plan().input_shape())), 0.0f);
  output_.assign(static_cast<std::size_t>(element_count(session_->plan().output_shape())), 0.0f);
}

Tensor Teacher::logits(const Tensor& input) {
  // The plan has a fixed batch: what is left of it keeps what the batch before put there.
  const std::size_t count = channels_.size(), values = static_cast<std::size_t>(input.size());
  for (std::size_t i = 0; i < values; i += count)
    for (std::size_t c = 0; c < count; ++c)
      input_[i + c] = input.data()[i + channels_[c].from] * channels_[c].factor + channels_[c].offset;
  session_->run(input_, output_);
  Tensor logits({input.dimension(0), session_->plan().output_shape().back()});
  std::copy_n(output_.data(), logits.size(), logits.data());
  return logits;
}

}  // namespace linnet::training
