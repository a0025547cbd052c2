// Prints known_properties() as tab-separated lines (pattern, type, disposition, note) for properties_test.go.
#include <cstdio>

#include "config/config.h"

namespace {

const char* type_name(reaper::JsonType type) {
  switch (type) {
    case reaper::JsonType::boolean:
      return "boolean";
    case reaper::JsonType::number:
      return "number";
    case reaper::JsonType::string:
      return "string";
    case reaper::JsonType::array:
      return "array";
    case reaper::JsonType::object:
      return "object";
    case reaper::JsonType::null:
      break;
  }
  return "null";
}

const char* disposition_name(reaper::Disposition disposition) {
  switch (disposition) {
    case reaper::Disposition::applied:
      return "applied";
    case reaper::Disposition::refused:
      return "refused";
    case reaper::Disposition::ignored:
      return "ignored";
    case reaper::Disposition::container:
      break;
  }
  return "container";
}

}  // namespace

int main() {
  for (const reaper::Property& row : reaper::known_properties())
    std::printf("%.*s\t%s\t%s\t%.*s\n", static_cast<int>(row.pattern.size()), row.pattern.data(), type_name(row.type),
                disposition_name(row.disposition), static_cast<int>(row.note.size()), row.note.data());
  return std::fflush(stdout) == 0 ? 0 : 1;
}
