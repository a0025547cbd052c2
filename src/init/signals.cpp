#include "init/signals.h"

#include "init/sys.h"

namespace reaper::init {

long set_default_disposition(int signal) {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
  } action = {};  // SIG_DFL is 0
  return call(__NR_rt_sigaction, signal, &action, nullptr, signal_set_size);
}

}  // namespace reaper::init
