// A process and all that it clones, under ptrace(2). One system call of one of them is judged: it goes on, its process
// is killed before it, or it fails with an errno of the judge's choice. Works on amd64 and arm64.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace reaper::walk {

// Which process makes a call. `library`: the caller. `child`: between clone and exec. `init`: reaper-init, in whatever
// part: a container's first process, its supervisor, the keeper of a hook.
enum class Who { library, child, init };
const char* name_of(Who who);

// The call that is judged. A stop costs more than most calls: only this role has any, and none after this call.
// Without a role every call of every role is counted, and none is judged.
struct Target {
  std::string role;
  int number = 0;
};

// A call that is about to be made while the window is open.
struct Call {
  std::string role;  // "caller"; its first child is "caller/1", whose first child is "caller/1/1"
  Who who = Who::library;
  int number = 0;  // from 1, counted for each role
  long call = 0;   // SYS_*
  std::string name;
  std::string text;  // with what tells it from others of its name: "openat(pid)", "prctl(4)"
};

struct Verdict {
  enum { go_on, kill, fail } what = go_on;
  int error = 0;             // `fail`: the errno
  bool carried_out = false;  // `fail`: the call is made all the same, and only its result is changed
};

using Judge = std::function<Verdict(const Call&)>;

struct Trace {
  bool hung = false;                  // nothing moved for a very long time; all was killed
  std::string stuck;                  // what each process was at then
  int status = 0;                     // of the caller, as waitpid(2) has it
  std::map<std::string, int> counts;  // without a target: calls in the window by role
};

// For the traced body: the window. Both wait until every other traced process is at rest: asleep in a call, or gone.
// They are a SIGTRAP, which the tracer takes.
void open_window();
void close_window();

// Runs `body` in a traced child, which leaves by _exit. What it clones is traced up to the execve of a program other
// than reaper-init. When it returns, nothing is traced any more, and the caller has been waited for. The calling
// process must be the only one of its threads, and a subreaper: it also reaps whatever else comes to it meanwhile.
Trace trace(const std::function<void()>& body, const Target& target, const Judge& judge);

// Whether tracing is allowed here at all.
bool can_trace();

}  // namespace reaper::walk
