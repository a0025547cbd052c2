// The files of a state directory, and the texts inside of a record: the first byte chooses which. `owner` has the form
// of `identity`, and target_cgroup.cpp reads `cgroup`.
#include "config/config.h"
#include "fuzz/fuzz.h"
#include "runtime/report.h"
#include "store/files.h"

using namespace reaper;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text = text_of(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0: {
      const auto record = decode_record(text);
      if (!record.has_value()) {
        const int code = record.error().code;
        promise(code == REAPER_ERR_CORRUPT || code == REAPER_ERR_UNSUPPORTED, "damage is CORRUPT, or a newer version");
        break;
      }
      const std::string again = encode_record(*record);
      const auto twice = decode_record(again);
      promise(twice.has_value() && encode_record(*twice) == again, "what is believed survives being written again");
      break;
    }
    case 1: {
      std::string why;
      const auto identity = decode_identity(text, why);
      promise(identity.has_value() == why.empty(), "a reason is given if and only if it is not believed");
      if (identity) promise(encode_identity(*identity).value() == text, "an identity has one form");
      break;
    }
    case 2:
      (void)decode_exit(text);
      break;
    case 3: {
      const auto hooks = hooks_from_json(text);
      if (!hooks.has_value()) break;
      const auto twice = hooks_from_json(hooks_to_json(*hooks));
      promise(twice.has_value() && *twice == *hooks, "hooks survive being written again");
      break;
    }
    default: {
      const auto credentials = credentials_json(text);
      promise(credentials.has_value() || credentials.error().code == REAPER_ERR_CORRUPT, "damage is CORRUPT");
    }
  }
  return 0;
}
