// The well-formed byte sequences of UTF-8 (Unicode, table 3-7).
#include "core/utf8.h"

namespace reaper {

namespace {

struct SequenceForm {
  size_t length;                    // 0: this byte begins nothing
  unsigned char second_min = 0x80;  // the second byte alone decides about overlong forms, surrogates and the upper end
  unsigned char second_max = 0xbf;
};

SequenceForm form_of(unsigned char lead) {
  if (lead < 0x80) return {1};
  if (lead < 0xc2) return {0};
  if (lead < 0xe0) return {2};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead < 0xf4) return {4};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0};
}

}  // namespace

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const SequenceForm form = form_of(static_cast<unsigned char>(text[0]));
  if (form.length < 2) return form.length;
  if (text.size() < form.length) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (second < form.second_min || second > form.second_max) return 0;
  for (size_t i = 2; i < form.length; i++) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  return form.length;
}

bool begins_with_control(std::string_view text) {
  if (text.empty()) return false;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7f) return true;
  return first == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0;
}

bool has_control(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(utf8_length(text)))
    if (begins_with_control(text)) return true;
  return false;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace reaper
