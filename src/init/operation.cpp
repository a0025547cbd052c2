#include "init/operation.h"

namespace reaper::init {

namespace {

uint32_t length_at(const char* position) {
  uint32_t length;
  __builtin_memcpy(&length, position, sizeof length);
  return length;
}

const char* after(const char* position) {
  return position + sizeof(uint32_t) + length_at(position) + 1;
}

}  // namespace

bool Operation::read(const unsigned char* bytes, uint64_t available) {
  if (available < sizeof(wire::OperationHeader)) return false;
  header_ = reinterpret_cast<const wire::OperationHeader*>(bytes);
  if (header_->size < sizeof(wire::OperationHeader) || header_->size > available || header_->size % 8 != 0)
    return false;
  uint64_t left = header_->size - sizeof(wire::OperationHeader);
  if (header_->number_count > left / sizeof(uint64_t) || header_->string_count == 0) return false;
  numbers_ = reinterpret_cast<const uint64_t*>(bytes + sizeof(wire::OperationHeader));
  left -= header_->number_count * sizeof(uint64_t);
  strings_ = reinterpret_cast<const char*>(numbers_ + header_->number_count);
  const char* position = strings_;
  for (uint32_t i = 0; i < header_->string_count; ++i) {
    if (left < sizeof(uint32_t) + 1) return false;
    const uint32_t length = length_at(position);
    if (length > left - sizeof(uint32_t) - 1) return false;
    if (position[sizeof(uint32_t) + length] != '\0') return false;
    left -= sizeof(uint32_t) + length + 1;
    position = after(position);
  }
  return left < 8;
}

const char* Operation::string(uint32_t index) const {
  const char* position = after(strings_);
  for (; index != 0; --index) position = after(position);
  return position + sizeof(uint32_t);
}

void Operation::fill(const char** out, uint32_t first, uint32_t count) const {
  const char* position = after(strings_);
  for (; first != 0; --first) position = after(position);
  for (; count != 0; --count, position = after(position)) *out++ = position + sizeof(uint32_t);
  *out = nullptr;
}

Outcome PlanReader::open(const unsigned char* bytes, uint64_t size) {
  if (size < sizeof(wire::PlanHeader) || size > wire::max_plan_bytes) return malformed(0);
  const auto* header = reinterpret_cast<const wire::PlanHeader*>(bytes);
  if (header->magic != wire::plan_magic || header->version != wire::version || header->size != size)
    return malformed(0);
  bytes_ = bytes;
  size_ = size;
  offset_ = sizeof(wire::PlanHeader);
  left_ = header->count;
  outcome_ = {};
  return {};
}

bool PlanReader::next(Operation& operation) {
  if (left_ == 0) {
    if (offset_ != size_) outcome_ = malformed(offset_);
    return false;
  }
  if (!operation.read(bytes_ + offset_, size_ - offset_)) {
    outcome_ = malformed(offset_);
    return false;
  }
  offset_ += operation.size();
  --left_;
  return true;
}

}  // namespace reaper::init
