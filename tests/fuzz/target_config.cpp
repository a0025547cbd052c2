// config.json: reading, diagnosing and planning it, for root and for an ordinary user.
#include "config/known_seccomp.h"
#include "fuzz/fuzz.h"
#include "plan/plan.h"
#include "seccomp/seccomp.h"
#include "unit/test_plan_support.h"

using namespace reaper;
using namespace reaper_test;

static void plan_it(const Config& config, const ProcessFacts& facts) {
  for (const bool supervise : {false, true}) {
    PlanOptions options;
    options.supervise = supervise;
    const auto plan = make_plan(config, facts, options);
    if (!plan.has_value()) {
      promise(!plan.error().message.empty() && !plan.error().stage.empty(), "an error says what and where");
      continue;
    }
    promise(!plan_to_text(*plan).empty(), "every plan has a text");
    (void)plan_to_json(*plan);
    (void)encode_plan(*plan);
  }
}

// What is remembered of linux.seccomp changes nothing, neither in the same document nor in another one.
static void read_again(std::string_view text, const Result<Config>& config) {
  static KnownSeccomp known;  // of the inputs before, too: what is found by them may need more than one
  for (int i = 0; i < 2; ++i) {
    const auto again = parse_config(text, &known);
    promise(again.has_value() == config.has_value(), "what is known makes no config good or bad");
    if (!again.has_value()) {
      const Error &a = again.error(), &b = config.error();
      promise(a.message == b.message && a.code == b.code && a.pointer == b.pointer, "nor says another thing of it");
      continue;
    }
    promise(again->warnings.size() == config->warnings.size(), "it hides no warning");
    for (size_t w = 0; w < config->warnings.size(); ++w)
      promise(again->warnings[w].message == config->warnings[w].message, "and changes none");
    promise((again->seccomp == nullptr) == (config->seccomp == nullptr), "it makes no filter, and takes none away");
    if (again->seccomp == nullptr) continue;
    const Seccomp &a = *again->seccomp, &b = *config->seccomp;
    promise(seccomp_digest(a) == seccomp_digest(b), "it is the same section");
    promise(a.listener.path == b.listener.path && a.listener.metadata == b.listener.metadata, "with the same agent");
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = parse_config(text_of(data, size));
  read_again(text_of(data, size), config);
  const Diagnosis diagnosis = diagnose_config(text_of(data, size));
  promise(config.has_value() == diagnosis.errors.empty(), "a preflight finds an error if and only if there is one");
  if (!config.has_value()) {
    const int code = config.error().code;
    promise(code == REAPER_ERR_INVALID || code == REAPER_ERR_UNSUPPORTED, "a bad config is INVALID or UNSUPPORTED");
    promise(printable(config.error().message, 1U << 20) == config.error().message, "messages are printable");
    promise(diagnosis.errors.front().message == config.error().message, "a preflight says first what create says");
    return 0;
  }
  plan_it(*config, root_facts());
  plan_it(*config, user_facts());
  return 0;
}
