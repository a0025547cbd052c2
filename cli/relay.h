// Bytes between a program's terminal and our stdin and stdout.
#pragma once

#include <poll.h>

#include <cstddef>
#include <span>

namespace reaper::cli {

class Relay {
 public:
  // Takes the descriptor; -1: there is no terminal, and nothing is ever relayed.
  explicit Relay(int master);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  bool has_terminal() const { return master_ >= 0; }
  int master() const { return master_; }
  // Our terminal becomes raw, if stdin is one; from now on keys are the program's.
  void begin();
  // The same after we were stopped.
  void resume();

  // For the caller's poll(2): what is waited for now, and, after it, what came.
  static constexpr int descriptors = 3;
  void want(std::span<pollfd, descriptors> fds) const;
  int limit_ms() const;
  void serve(std::span<const pollfd, descriptors> fds);

  // After the program's end: what it wrote and nobody has read yet. Given up when a signal that ends a process can be
  // read from `signals`.
  void finish(int signals);

 private:
  struct Buffer {
    char bytes[4096];
    size_t begin = 0, end = 0;
    bool empty() const { return begin == end; }
  };

  void hang_up();
  void end_input();
  void read_input(short events);
  void read_output();
  void write_input();
  void write_output();

  int master_;
  bool takes_input_ = false;
  bool is_interactive_ = false;  // stdin is a terminal
  bool is_idle_ = false;         // no process has the program's terminal open
  char last_ = '\n';             // of the bytes that went to the program
  Buffer input_, output_;
};

}  // namespace reaper::cli
