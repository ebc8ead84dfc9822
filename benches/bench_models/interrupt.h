// Ctrl-C ends the measuring, not the program: what is done is still printed.
#pragma once

namespace linnet::bench {

/// From now on the first SIGINT or SIGTERM is remembered; the second one ends the program at once.
void catch_interrupts();
bool interrupted();

/// Returns earlier if interrupted.
void sleep_seconds(double seconds);

}  // namespace linnet::bench
