// A linux.seccomp that a handle has read before: what parse_config() makes of it must not differ from what it makes of
// one that nobody knows.
#include "config/known_seccomp.h"

#include <atomic>
#include <thread>
#include <vector>

#include "seccomp/seccomp.h"
#include "unit/test_config_cases.h"

using namespace reaper_test;
using reaper::KnownSeccomp;

namespace {

constexpr char denies_mkdir[] =
    R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":%}]})";

std::string section(int number) {
  std::string text = denies_mkdir;
  return text.replace(text.find('%'), 1, std::to_string(number));
}

std::string with(const std::string& seccomp, std::string_view others = "") {
  return linux_section(std::string(others) + R"("seccomp":)" + seccomp);
}

reaper::Config read(const std::string& text, KnownSeccomp& known) {
  auto config = reaper::parse_config(text, &known);
  if (!config.has_value()) fail_msg("%s", config.error().message.c_str());
  return std::move(*config);
}

uint32_t number_of(const reaper::Config& config) {
  return config.seccomp->rules.at(0).action & 0xffffU;
}

void test_read_once(void**) {
  KnownSeccomp known;
  const reaper::Config first = read(with(section(1)), known);
  assert_int_equal(known.all().size(), 1);
  // The same object, whatever stands around it.
  assert_true(read(with(section(1)), known).seccomp == first.seccomp);
  const reaper::Config other = read(with(section(1), R"("namespaces":[{"type":"pid"}],"x":1,)"), known);
  assert_true(other.seccomp == first.seccomp);
  assert_int_equal(other.namespaces.size(), 1);
  assert_int_equal(other.warnings.size(), 1);
  // One character differs.
  const reaper::Config second = read(with(section(2)), known);
  assert_int_equal(number_of(second), 2);
  assert_int_equal(number_of(first), 1);
  assert_int_equal(known.all().size(), 2);
  // What begins in the same way is not the same.
  std::string longer = section(1);
  longer.insert(longer.size() - 1, R"(,"flags":["SECCOMP_FILTER_FLAG_LOG"])");
  assert_int_not_equal(read(with(longer), known).seccomp->flags, 0);
}

// The same text in another place has another meaning.
void test_its_place(void**) {
  KnownSeccomp known;
  (void)read(with(section(1)), known);
  const std::string decoy = R"("x":{"seccomp":)" + section(1) + "}";
  const std::string rows[] = {
      document(decoy + R"(,"linux":{"seccomp":)" + section(2) + "}"),
      document(R"("linux":{"seccomp":)" + section(2) + "}," + decoy),
      document(decoy + R"(,"linux":{"seccomp":)" + section(1) + "}"),
      document(R"("linux":{"seccomp":)" + section(1) + "}," + decoy),
      document(decoy),
      with(section(2), R"("other":)" + section(1) + ","),
  };
  for (const std::string& text : rows) {
    const reaper::Config plain = accepted(text);
    const reaper::Config again = read(text, known);
    assert_int_equal(again.warnings.size(), 1);
    assert_string_equal(again.warnings[0].message.c_str(), plain.warnings[0].message.c_str());
    assert_int_equal(again.seccomp == nullptr, plain.seccomp == nullptr);
    if (plain.seccomp != nullptr) assert_int_equal(number_of(again), number_of(plain));
  }
  assert_int_equal(known.all().size(), 2);  // each of them once
  const std::string refusals[] = {
      document(R"("solaris":{"seccomp":)" + section(1) + "}"),
      document(R"("hooks":{"prestart":)" + section(1) + "}"),
      with(section(1), R"("seccomp":)" + section(1) + ","),
  };
  for (const std::string& text : refusals) {
    const auto plain = reaper::parse_config(text);
    const auto again = reaper::parse_config(text, &known);
    assert_false(plain.has_value() || again.has_value());
    assert_string_equal(again.error().message.c_str(), plain.error().message.c_str());
  }
}

// What has something to say says it each time.
void test_what_is_not_kept(void**) {
  KnownSeccomp known;
  std::string unknown = section(1);
  unknown.insert(1, R"("defaultErrnoRat":1,)");
  for (int i = 0; i < 2; ++i) {
    const reaper::Config config = read(with(unknown), known);
    assert_int_equal(config.warnings.size(), 1);
    assert_string_equal(config.warnings[0].pointer.c_str(), "/linux/seccomp/defaultErrnoRat");
    const auto refused = reaper::parse_config(with(section(4095)), &known);
    assert_false(refused.has_value());
    assert_string_equal(refused.error().pointer.c_str(), "/linux/seccomp/syscalls/0/errnoRet");
    assert_false(reaper::parse_config(with(section(1), R"("personality":{"domain":"BACH"},)"), &known).has_value());
    assert_null(read(with("{}"), known).seccomp.get());
  }
  assert_int_equal(known.all().size(), 0);
  std::string warnings;  // more than are told: one of the section's may be among the others
  for (int i = 0; i < 2000; ++i) warnings += "\"x" + std::to_string(i) + "\":1,";
  (void)read(with(section(1), warnings), known);
  assert_int_equal(known.all().size(), 0);
}

void test_bounds(void**) {
  KnownSeccomp known;
  for (size_t i = 1; i <= KnownSeccomp::most + 2; ++i) (void)read(with(section(int(i))), known);
  assert_int_equal(known.all().size(), KnownSeccomp::most);
  assert_string_equal(known.all().front()->text.c_str(), section(3).c_str());
  // What was used last stays longest.
  (void)read(with(section(3)), known);
  (void)read(with(section(100)), known);
  assert_string_equal(known.all().front()->text.c_str(), section(5).c_str());
  KnownSeccomp others;
  (void)read(with(section(1) + "   "), others);
  std::string large = section(1);
  large.insert(1, KnownSeccomp::most_bytes - large.size(), ' ');
  (void)read(with(large), others);
  assert_int_equal(others.all().size(), 2);
  (void)read(with(large.insert(1, " ")), others);
  assert_int_equal(others.all().size(), 2);
}

void test_in_threads(void**) {
  KnownSeccomp known;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int number = 1 + (i * 7 + t) % 12;
        const auto config = reaper::parse_config(with(section(number)), &known);
        wrong += !config.has_value() || number_of(*config) != uint32_t(number);
      }
    });
  for (std::thread& thread : threads) thread.join();
  assert_int_equal(wrong, 0);
  assert_int_equal(known.all().size(), KnownSeccomp::most);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_read_once), cmocka_unit_test(test_its_place),  cmocka_unit_test(test_what_is_not_kept),
      cmocka_unit_test(test_bounds),    cmocka_unit_test(test_in_threads),
  };
  return cmocka_run_group_tests_name("known_seccomp", tests, nullptr, nullptr);
}
