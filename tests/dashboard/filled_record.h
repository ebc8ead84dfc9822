// A record with something of everything that the dashboard shows.
#pragma once

#include <string>

namespace linnet {

constexpr int long_curve = 20000;                                 ///< points of first's train/loss
constexpr int spike_at = 12345, dip_at = 4321, strange_at = 777;  ///< steps of an extreme and of a NaN
constexpr double spike = 50, dip = -7;

/// Training runs "first" (20,000 points, pictures, histograms, a confusion matrix), "second" and "third" (failed), and
/// two benchmark runs of a Raspberry Pi.
void fill_record(const std::string& database);

}  // namespace linnet
