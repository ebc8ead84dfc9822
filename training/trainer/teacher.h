// A network that another one learns from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linnet/model.h"
#include "linnet/session.h"

namespace linnet::training {

class Teacher {
 public:
  /// Loads a model file. Throws linnet::Error that names it unless it takes pictures of the student's size and channels
  /// and gives as many logits.
  Teacher(const std::string& path, const Graph& student, const Preprocessing& preprocessing, Index batch,
          std::shared_ptr<ThreadPool> pool);

  /// What the teacher says to a batch that was normalised for the student: [samples, classes].
  Tensor logits(const Tensor& input);

 private:
  /// teacher's channel = student's channel `from` * factor + offset
  struct Channel {
    std::size_t from;
    float factor, offset;
  };
  std::vector<Channel> channels_;
  std::unique_ptr<Session> session_;
  std::vector<float> input_, output_;
};

}  // namespace linnet::training
