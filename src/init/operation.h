// Reads the flat form of a plan (plan/wire.h). Nothing in it is believed before it is checked.
#pragma once

#include <stdint.h>

#include "init/state.h"
#include "plan/wire.h"

namespace reaper::init {

// One operation, checked: numbers are inside, strings end in NUL.
class Operation {
 public:
  wire::Op op() const { return static_cast<wire::Op>(header_->op); }
  uint32_t number_count() const { return header_->number_count; }
  const uint64_t* numbers() const { return numbers_; }
  uint64_t number(uint32_t index) const { return numbers_[index]; }
  uint32_t string_count() const { return header_->string_count - 1; }  // without the pointer
  const char* pointer() const { return strings_ + sizeof(uint32_t); }
  // Walking from the front: strings are few except for exec, which uses fill().
  const char* string(uint32_t index) const;
  // Writes the addresses of strings [first, first + count) and a null.
  void fill(const char** out, uint32_t first, uint32_t count) const;

  // Checks the operation at `bytes`; false: malformed.
  bool read(const unsigned char* bytes, uint64_t available);
  uint32_t size() const { return header_->size; }

 private:
  const wire::OperationHeader* header_ = nullptr;
  const uint64_t* numbers_ = nullptr;
  const char* strings_ = nullptr;  // the pointer's length field
};

// Each operation of a plan in turn.
class PlanReader {
 public:
  // Checks the header. `bytes` is 8-byte aligned.
  Outcome open(const unsigned char* bytes, uint64_t size);
  // False at the end or when malformed (see outcome()).
  bool next(Operation& operation);
  const Outcome& outcome() const { return outcome_; }

 private:
  const unsigned char* bytes_ = nullptr;
  uint64_t size_ = 0;
  uint64_t offset_ = 0;
  uint32_t left_ = 0;
  Outcome outcome_;
};

}  // namespace reaper::init
