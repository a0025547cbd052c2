// The terminal of the person who calls, while a program's own terminal is shown on it.
#pragma once

namespace reaper::cli {

// Puts stdin into raw mode: keys, ^C and ^Z among them, are the program's. A process in the background is stopped until
// a shell brings it forward, as the kernel has it. From then on a crash of ours puts the modes back as well.
// False where stdin is no terminal, or one that we may not take.
bool enter_raw_mode();
// The modes as they were. Safe in a signal handler; nothing where they were not changed.
void leave_raw_mode();

// The size of the window, of the first of 0, 1 and 2 that is a terminal, to the terminal of `master`. False: none is.
bool copy_window_size(int master);

}  // namespace reaper::cli
