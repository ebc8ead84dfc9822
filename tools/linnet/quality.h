// How good, how fast and how large a classifier is, as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "classifier.h"

namespace linnet::tools {

/// On one line. Names of classes come from names of files, which need not be UTF-8: what is not is replaced.
std::string to_line(const nlohmann::json& json);

/// The same with a line for each key of an object: `"top1": 91.5,`. Matrices of many classes stay on one line each.
std::string to_lines(const nlohmann::json& object);

/// The name of a class, from the model or else from the data set.
std::string class_name(const Model& model, const training::Dataset& dataset, Index label);

/// `precision`, `recall`, `f1` as plain means over the classes.
nlohmann::json macro_json(const training::Metrics& metrics);

/// Array by class of `name`, `precision`, `recall`, `f1` (shares), `support` (pictures).
nlohmann::json classes_json(const Model& model, const training::Dataset& dataset, const training::Metrics& metrics);

/// Rows are true classes, columns predictions.
nlohmann::json confusion_json(const training::Metrics& metrics);

/// Array by bin of `pictures`, and of these the mean `confidence` and the share that is right, `accuracy`.
nlohmann::json calibration_json(const training::Metrics& metrics);

/// Latency of one picture for 1 thread and, if they are more, for `most_threads`: array of `threads`, `runs`, `min_ms`,
/// `median_ms`, `p90_ms`, `p99_ms`. Slow models get fewer runs than `runs`: about three seconds are enough.
nlohmann::json latency_json(const Model& model, int most_threads, int runs);

}  // namespace linnet::tools
