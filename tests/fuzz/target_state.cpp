// The files of a state directory: the first byte chooses which.
#include "fuzz/fuzz.h"
#include "store/files.h"

using namespace reaper;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text = text_of(data + 1, size - 1);
  switch (data[0] % 3) {
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
    default:
      (void)decode_exit(text);
  }
  return 0;
}
