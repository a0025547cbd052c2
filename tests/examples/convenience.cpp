// Every member of reaper.hpp, on the installed library: exits with 0, or says which line is wrong.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <reaper.hpp>
#include <string>
#include <type_traits>

#define WANT(condition) \
  if (!(condition)) (std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition), std::exit(1))

namespace {

std::string config(const std::string& command, const std::string& more = "") {
  return R"({"ociVersion": "1.2.0", "process": {"cwd": "/", "args": ["/bin/sh", "-c", ")" + command + "\"]}" + more +
         "}";
}

reaper::create_options options_of(const std::string& text) {
  reaper::create_options options;
  options.config = text;
  return options;
}

template <typename Call>
int32_t code_of(Call&& call) {
  try {
    call();
  } catch (const reaper::error& failure) {
    return failure.code();
  }
  return REAPER_OK;
}

void test_types() {
  static_assert(std::is_nothrow_move_constructible_v<reaper::runtime>);
  static_assert(std::is_nothrow_move_assignable_v<reaper::container>);
  static_assert(!std::is_copy_constructible_v<reaper::runtime> && !std::is_copy_assignable_v<reaper::container>);
  static_assert(std::is_nothrow_move_constructible_v<reaper::process>);
  static_assert(!std::is_copy_constructible_v<reaper::process>);
  static_assert(std::is_nothrow_copy_constructible_v<reaper::error>);
  static_assert(std::is_base_of_v<std::runtime_error, reaper::error>);
}

void test_strings() {
  WANT(reaper::version() == reaper_version() && reaper::commit() == reaper_commit());
  WANT(reaper::features().front() == '{' && reaper::spec().find("ociVersion") != std::string::npos);
}

void test_errors(reaper::runtime& runtime) {
  try {
    runtime.create("id", options_of(config("true", R"(, "hostname": 7)")));
    WANT(false);
  } catch (const reaper::error& failure) {
    const reaper::error copy = failure;
    WANT(copy.code() == REAPER_ERR_INVALID && copy.name() == std::string("REAPER_ERR_INVALID"));
    WANT(copy.pointer() == "/hostname" && copy.stage() == "config" && copy.what() == std::string(failure.what()));
  }
  try {
    const std::string missing = R"({"ociVersion": "1.2.0", "process": {"cwd": "/", "args": [")" + runtime.root();
    runtime.create("id", options_of(missing + R"(/none"]}})"));
    WANT(false);
  } catch (const reaper::error& failure) {
    WANT(failure.code() == REAPER_ERR_EXEC && failure.errno_value() == ENOENT);
  }
  WANT(code_of([&] { runtime.open("nobody"); }) == REAPER_ERR_NOT_FOUND);
  WANT(code_of([&] { runtime.remove("nobody"); }) == REAPER_ERR_NOT_FOUND);
  const reaper::error bare(REAPER_ERR_NO_MEMORY, nullptr);
  WANT(bare.what() == std::string("REAPER_ERR_NO_MEMORY") && bare.pointer().empty() && bare.errno_value() == 0);
}

void test_life(reaper::runtime& runtime) {
  int ends[2];
  WANT(pipe(ends) == 0);
  reaper::create_options options = options_of(config("echo from 3 >&3; echo out; exec sleep 100"));
  options.stdio = {-1, ends[1], -1};
  options.extra_fds = {ends[1]};
  reaper::container box = runtime.create("life", options);
  WANT(box.id() == "life" && box.status() == REAPER_STATUS_CREATED && box.pid() > 0);
  WANT(code_of([&] { box.remove(); }) == REAPER_ERR_STATUS);
  WANT(runtime.list().find("\"life\"") != std::string::npos);
  box.start();
  WANT(!box.wait_for(std::chrono::milliseconds(0)) && !box.wait_for(std::chrono::milliseconds(-1)));
  std::string text;
  while (text.find("out\n") == std::string::npos) {
    char buffer[64];
    const ssize_t got = read(ends[0], buffer, sizeof buffer);
    WANT(got > 0);
    text.append(buffer, static_cast<std::size_t>(got));
  }
  WANT(text == "from 3\nout\n");
  const int32_t pidfd = box.pidfd();
  runtime.open("life").kill(SIGKILL);
  pollfd ended = {pidfd, POLLIN, 0};
  WANT(poll(&ended, 1, -1) == 1);
  close(pidfd);
  WANT(box.wait().signal == SIGKILL);
  WANT(box.wait_for(std::chrono::milliseconds(0)).value().exit_code == -1);
  WANT(box.state().find("\"stopped\"") != std::string::npos);
  reaper::container moved = std::move(box);
  moved.remove();
  WANT(code_of([&] { moved.state(); }) == REAPER_ERR_NOT_FOUND);
  close(ends[0]);
  close(ends[1]);
}

void test_exec(reaper::runtime& runtime) {
  reaper::container box = runtime.create("host", options_of(config("exec sleep 100")));
  reaper::exec_options options;
  options.process = R"({"cwd": "/", "args": ["/bin/sh", "-c", "echo out; echo three >&3; exit 7"]})";
  WANT(code_of([&] { box.exec(options); }) == REAPER_ERR_STATUS);
  box.start();
  int ends[2];
  WANT(pipe(ends) == 0);
  options.stdio = {-1, ends[1], -1};
  options.extra_fds = {ends[1]};
  reaper::process first = box.exec(options);
  close(ends[1]);
  WANT(first.pid() > 0 && first.pid() != box.pid() && first.handle() != nullptr);
  reaper::process moved = std::move(first);
  WANT(moved.wait().exit_code == 7 && moved.wait_for(std::chrono::milliseconds(0)).value().exit_code == 7);
  std::string text;
  char buffer[64];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  WANT(text == "out\nthree\n");
  close(ends[0]);
  options.process = R"({"args": ["/bin/sleep", "100"]})";
  options.stdio.reset();
  options.extra_fds.clear();
  options.flags = REAPER_EXEC_LAY_OVER;
  const reaper::process second = box.exec(options);
  WANT(!second.wait_for(std::chrono::milliseconds(-1)));
  second.kill(SIGKILL);
  const int32_t pidfd = second.pidfd();
  pollfd ended = {pidfd, POLLIN, 0};
  WANT(poll(&ended, 1, -1) == 1);
  close(pidfd);
  WANT(second.wait().signal == SIGKILL);
  WANT(code_of([&] { second.kill(SIGTERM); }) == REAPER_ERR_STATUS);
  options.process = R"({"args": ["/nowhere"], "cwd": "relative"})";
  WANT(code_of([&] { box.exec(options); }) == REAPER_ERR_INVALID);
  box.remove(REAPER_DELETE_FORCE);
}

void test_foresight(reaper::runtime& runtime) {
  reaper::create_options options = options_of(config("true", R"(, "unknown": 1)"));
  WANT(runtime.plan(options).find("execve") != std::string::npos);
  WANT(runtime.check(options, REAPER_FORMAT_JSON).find("{\"ok\":true") == 0);
  options.flags = REAPER_CREATE_STRICT;
  WANT(runtime.check(options).find("error: ") != std::string::npos);
  options.bundle = runtime.root() + "/nowhere";
  options.config.reset();
  WANT(code_of([&] { runtime.plan(options); }) == REAPER_ERR_NOT_FOUND);
}

// A container logs to the function of its runtime after the end of that handle, and what the function throws is
// dropped.
void test_log(const std::string& root) {
  const auto count = std::make_shared<int>(0);
  reaper::runtime_options options;
  options.root = root;
  options.log = [count](int32_t level, const char* message) {
    if (level == REAPER_LOG_WARNING && *message != '\0') ++*count;
    throw 7;
  };
  std::optional<reaper::runtime> runtime(std::move(options));
  WANT(runtime->root() == root);
  const char* hook = R"(, "hooks": {"poststop": [{"path": "/bin/false"}]})";
  reaper::container box = runtime->create("log", options_of(config("true", hook)));
  runtime.reset();
  const int before = *count;
  box.remove(REAPER_DELETE_FORCE);
  WANT(*count == before + 1);
}

}  // namespace

int main(int argc, char** argv) {
  WANT(argc == 2);
  const std::string root = argv[1];
  test_types();
  test_strings();
  try {
    reaper::runtime_options options;
    options.root = root;
    reaper::runtime runtime(std::move(options));
    test_errors(runtime);
    test_life(runtime);
    test_exec(runtime);
    test_foresight(runtime);
    test_log(root);
  } catch (const reaper::error& failure) {
    std::fprintf(stderr, "%s: %s\n", failure.name(), failure.what());
    return 1;
  }
}
