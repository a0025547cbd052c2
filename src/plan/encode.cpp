// A Plan in the flat form of wire.h.
#include <cstring>

#include "plan/concerns.h"

namespace reaper {

namespace {

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_string(std::string& out, std::string_view text) {
  append(out, static_cast<uint32_t>(text.size()));
  out.append(text);
  out += '\0';
}

size_t encoded_size(const Operation& operation) {
  size_t size = sizeof(wire::OperationHeader) + 8 * operation.numbers.size();
  size += sizeof(uint32_t) + operation.pointer.size() + 1;
  for (const std::string& text : operation.strings) size += sizeof(uint32_t) + text.size() + 1;
  return (size + 7) / 8 * 8;
}

void append_operation(std::string& out, const Operation& operation) {
  const size_t begin = out.size();
  wire::OperationHeader header = {};
  header.op = static_cast<uint16_t>(operation.op);
  header.size = static_cast<uint32_t>(encoded_size(operation));
  header.number_count = static_cast<uint32_t>(operation.numbers.size());
  header.string_count = static_cast<uint32_t>(operation.strings.size() + 1);
  append(out, header);
  for (const uint64_t number : operation.numbers) append(out, number);
  append_string(out, operation.pointer);
  for (const std::string& text : operation.strings) append_string(out, text);
  out.resize(begin + header.size, '\0');
}

// JSON may not bring a NUL in (core/json.h); a plan that was made otherwise must not be cut short in init.
Status check_strings(const Operation& operation) {
  for (const std::string& text : operation.strings)
    if (text.find('\0') != std::string::npos)
      return fail(planning::plan_error(REAPER_ERR_INVALID, operation.pointer, "a string holds a NUL byte"));
  return {};
}

}  // namespace

Result<std::string> encode_plan(const Plan& plan) {
  size_t size = sizeof(wire::PlanHeader);
  for (const Operation& operation : plan.operations) {
    TRY(check_strings(operation));
    size += encoded_size(operation);
    if (size > wire::max_plan_bytes)
      return fail(planning::plan_error(REAPER_ERR_INVALID, operation.pointer,
                                       "the plan is larger than " + std::to_string(wire::max_plan_bytes) + " bytes"));
  }
  std::string out;
  out.reserve(size);
  append(out, wire::PlanHeader{wire::plan_magic, wire::version, 0, static_cast<uint32_t>(size),
                               static_cast<uint32_t>(plan.operations.size())});
  for (const Operation& operation : plan.operations) append_operation(out, operation);
  return out;
}

}  // namespace reaper
