// The tables of the record, and how an older file comes to have them.
#pragma once

#include <span>

namespace linnet::tracking {

class Database;

/// Step i brings a file from version i to version i + 1. Steps are only ever added.
std::span<const char* const> migrations();

/// Whether the file lacks steps.
bool is_outdated(Database& database);

/// Throws linnet::Error if the file is none of ours or of a newer version; else runs the steps that it lacks, in one
/// transaction.
void check_and_migrate(Database& database);

}  // namespace linnet::tracking
