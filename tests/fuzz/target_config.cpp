// config.json: reading, diagnosing and planning it, for root and for an ordinary user.
#include "fuzz/fuzz.h"
#include "plan/plan.h"
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

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = parse_config(text_of(data, size));
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
