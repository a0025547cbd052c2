// UTF-8, as far as JSON and messages need it.
#pragma once

#include <cstddef>
#include <string_view>

namespace reaper {

// How many bytes (1 to 4) the well-formed UTF-8 sequence at the beginning of `text` has; 0 where there is none: at the
// end, and for overlong forms, surrogates, everything above U+10FFFF and cut sequences (Unicode, table 3-7).
size_t utf8_length(std::string_view text);

// Whether the whole text is UTF-8.
bool is_utf8(std::string_view text);

// Whether `text` begins with a control character: U+0000 to U+001F, U+007F to U+009F (terminals obey the latter, too).
bool begins_with_control(std::string_view text);

// Whether there is one anywhere in `text`, which is UTF-8.
bool has_control(std::string_view text);

}  // namespace reaper
