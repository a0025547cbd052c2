// Who answers for SCMP_ACT_NOTIFY in a walk: a thread beside the tracer that lets every call pass.
#pragma once

#include <pthread.h>

#include <atomic>
#include <string>

namespace reaper::walk {

class Agent {
 public:
  explicit Agent(const std::string& path);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  // Calls that were asked about.
  int answered() const { return answered_; }
  // Nobody is connected and no listener is held.
  bool idle() const { return idle_; }

 private:
  static void* run(void* agent);
  void serve();
  bool take(int connection, int& listener);
  bool answer(int listener);

  int socket_ = -1;
  int stop_[2] = {-1, -1};
  std::atomic<int> answered_ = 0;
  std::atomic<bool> idle_ = true;
  pthread_t thread_ = {};
};

}  // namespace reaper::walk
