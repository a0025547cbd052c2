// The reader in a hard place: threads with small stacks, an allocator that fails, a host that uses cJSON itself.
#include <cjson/cJSON.h>
#include <locale.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "unit/test_json_support.h"

using reaper::parse_json;

// The C library's function, taken over by this program for all of its process: the locale of the thread that a host may
// have set, without needing one with a decimal point of two bytes (ps_AF has U+066B) on the machine.
static bool foreign_decimal_point = false;
static char decimal_point[] = "\xd9\xab";
static char plain_point[] = ".";

extern "C" __attribute__((visibility("default"))) lconv* localeconv() noexcept {
  static lconv conventions = {};
  conventions.decimal_point = foreign_decimal_point ? decimal_point : plain_point;
  return &conventions;
}

namespace {

std::string repeat(std::string_view part, int times) {
  std::string out;
  for (int i = 0; i < times; i++) out += part;
  return out;
}

// ---- A small stack. It has no guard for asserts' longjmp: the thread only reports.

struct StackWork {
  bool deepest_reads = false;
  bool deeper_refused = false;
  bool duplicate_found = false;
};

void* work_on_small_stack(void* argument) {
  auto* work = static_cast<StackWork*>(argument);
  const auto deepest = parse_json(repeat("{\"a\":[", 32) + "17" + repeat("]}", 32), "t");
  if (deepest) {
    auto at = *deepest;
    for (int i = 0; i < 32; i++) at = at.member("a").value().value().elements().value().at(0);
    work->deepest_reads = at.signed_integer(17, 17).has_value();
  }
  const auto deeper = parse_json(repeat("[", 1000) + repeat("]", 1000), "t");
  const auto endless = parse_json(repeat("{\"a\":", 100000), "t");
  work->deeper_refused = !deeper && !endless && deeper.error().message == "t:1:65: nested deeper than 64" &&
                         endless.error().message == "t:1:321: nested deeper than 64";
  const auto twice = parse_json(repeat("[", 63) + "{\"a\":1,\"a\":2}" + repeat("]", 63), "t");
  work->duplicate_found = !twice && twice.error().pointer == repeat("/0", 63) + "/a";
  return nullptr;
}

void check_small_stack(void**) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr size_t stack = 512 << 10;  // the sanitizers' own frames
#else
  const size_t stack = std::max<size_t>(64 << 10, PTHREAD_STACK_MIN);  // arm64: 128 KiB at least
#endif
  pthread_attr_t attributes;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstacksize(&attributes, stack), 0);
  StackWork work;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, &attributes, work_on_small_stack, &work), 0);
  assert_int_equal(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  assert_true(work.deepest_reads);
  assert_true(work.deeper_refused);
  assert_true(work.duplicate_found);
}

// ---- A foreign locale: cJSON reads its numbers with it, so it gets none to read.

void check_locale(void**) {
  foreign_decimal_point = true;
  cJSON* own = cJSON_Parse("[1.5]");
  const bool misread = own == nullptr;
  cJSON_Delete(own);
  const auto document = parse_json("[1.5,2,-3.25e1,4]", "t");
  foreign_decimal_point = false;
  assert_true(document.has_value());
  assert_int_equal(document->elements().value().at(1).signed_integer(2, 2).has_value(), true);
  assert_int_equal(document->elements().value().at(3).signed_integer(4, 4).has_value(), true);
  if (!misread) {
    puts("SKIP: this cJSON reads numbers without the locale");
    skip();
  }
}

// ---- Allocation. The test is the host here: only a host may set cJSON's hooks.

long allocations = 0;
long live = 0;
long fail_at = -1;  // which allocation fails
int fail_errno = ENOMEM;

void* counted_malloc(size_t size) {
  if (allocations++ == fail_at) {
    if (fail_errno != 0) errno = fail_errno;
    return nullptr;
  }
  void* memory = std::malloc(size);
  if (memory != nullptr) live++;
  return memory;
}

void counted_free(void* memory) {
  if (memory != nullptr) live--;
  std::free(memory);
}

int set_hooks(void**) {
  cJSON_Hooks hooks = {counted_malloc, counted_free};
  cJSON_InitHooks(&hooks);
  allocations = 0;
  live = 0;
  fail_at = -1;
  fail_errno = ENOMEM;
  return 0;
}

int reset_hooks(void**) {
  cJSON_InitHooks(nullptr);
  return 0;
}

constexpr char document_text[] = R"({"a":[1,"two",{"three":[true,null]}],"b":{"c":"d"},"e":-5})";

// Whichever allocation fails, it is told from a syntax error and nothing is left behind.
void check_no_memory(void**) {
  assert_true(parse_json(document_text, "t").has_value());
  const long needed = allocations;
  assert_true(needed > 10);
  assert_int_equal(live, 0);
  for (long n = 0; n < needed; n++) {
    allocations = 0;
    fail_at = n;
    const auto document = parse_json(document_text, "t");
    assert_false(document.has_value());
    assert_int_equal(document.error().code, REAPER_ERR_NO_MEMORY);
    assert_int_equal(document.error().sys_errno, ENOMEM);
    assert_string_equal(document.error().stage.c_str(), "json");
    assert_string_equal(document.error().message.c_str(), "cJSON_ParseWithLengthOpts: ENOMEM");
    assert_int_equal(live, 0);
  }
}

// A refusal by cJSON without ENOMEM would be a defect, never INVALID.
void check_defect(void**) {
  fail_at = 3;
  fail_errno = 0;
  const auto document = parse_json(document_text, "t");
  assert_false(document.has_value());
  assert_int_equal(document.error().code, REAPER_ERR_INTERNAL);
  json_test::assert_plain_message(document.error().message);
}

void check_errno_kept(void**) {
  errno = 77;
  assert_true(parse_json(document_text, "t").has_value());
  assert_int_equal(errno, 77);
  fail_at = allocations;
  assert_false(parse_json(document_text, "t").has_value());
  assert_int_equal(errno, 77);
}

// Every refusal frees the tree, and a cursor frees it with its last copy.
void check_nothing_left(void**) {
  assert_false(parse_json(R"({"a":{"b":1,"b":2}})", "t").has_value());
  assert_true(allocations > 0);
  assert_int_equal(live, 0);
  const long before = allocations;
  assert_false(parse_json("[1,2,]", "t").has_value());
  assert_int_equal(allocations, before);  // the scan refuses before cJSON is called
  {
    const auto document = parse_json(document_text, "t");
    const auto copy = *document;
    assert_true(live > 0);
  }
  assert_int_equal(live, 0);
}

// The host's hooks are those that were set, after the library's calls too.
void check_hooks_untouched(void**) {
  assert_true(parse_json(document_text, "t").has_value());
  const long before = allocations;
  cJSON* own = cJSON_Parse("[]");
  assert_non_null(own);
  assert_int_equal(allocations, before + 1);
  assert_int_equal(live, 1);
  cJSON_Delete(own);
  assert_int_equal(live, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(check_small_stack),
      cmocka_unit_test(check_locale),
      cmocka_unit_test_setup_teardown(check_no_memory, set_hooks, reset_hooks),
      cmocka_unit_test_setup_teardown(check_defect, set_hooks, reset_hooks),
      cmocka_unit_test_setup_teardown(check_errno_kept, set_hooks, reset_hooks),
      cmocka_unit_test_setup_teardown(check_nothing_left, set_hooks, reset_hooks),
      cmocka_unit_test_setup_teardown(check_hooks_untouched, set_hooks, reset_hooks),
  };
  return cmocka_run_group_tests_name("json_limits", tests, nullptr, nullptr);
}
