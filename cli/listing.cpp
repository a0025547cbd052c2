#include "listing.h"

#include <algorithm>
#include <cstdint>

namespace reaper::cli {

namespace {

struct Scanner {
  std::string_view rest;

  void space() {
    size_t end = rest.find_first_not_of(" \t\r\n");
    rest.remove_prefix(std::min(end, rest.size()));
  }
  bool take(char c) {
    space();
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
};

bool read_hex4(Scanner& in, uint32_t& out) {
  if (in.rest.size() < 4) return false;
  out = 0;
  for (int i = 0; i < 4; i++) {
    char c = in.rest[static_cast<size_t>(i)];
    uint32_t digit;
    if (c >= '0' && c <= '9')
      digit = static_cast<uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<uint32_t>(c - 'A' + 10);
    else
      return false;
    out = out * 16 + digit;
  }
  in.rest.remove_prefix(4);
  return true;
}

void append_utf8(std::string& out, uint32_t point) {
  auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) return put(0xc0 | point >> 6), put(0x80 | (point & 0x3f));
  if (point < 0x10000) return put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 0x3f)), put(0x80 | (point & 0x3f));
  put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 0x3f)), put(0x80 | (point >> 6 & 0x3f)),
      put(0x80 | (point & 0x3f));
}

// Behind "\u": one unit, or two that make a pair.
bool read_unicode(Scanner& in, std::string& out) {
  uint32_t unit;
  if (!read_hex4(in, unit)) return false;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    uint32_t low;
    if (!in.rest.starts_with("\\u")) return false;
    in.rest.remove_prefix(2);
    if (!read_hex4(in, low) || low < 0xdc00 || low > 0xdfff) return false;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  } else if (unit >= 0xdc00 && unit <= 0xdfff) {
    return false;
  }
  append_utf8(out, unit);
  return true;
}

bool read_string(Scanner& in, std::string& out) {
  if (!in.take('"')) return false;
  constexpr std::string_view escapes = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  while (!in.rest.empty()) {
    char c = in.rest[0];
    in.rest.remove_prefix(1);
    if (c == '"') return true;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (in.rest.empty()) return false;
    char escape = in.rest[0];
    in.rest.remove_prefix(1);
    if (escape == 'u') {
      if (!read_unicode(in, out)) return false;
    } else if (size_t at = escapes.find(escape); at != std::string_view::npos) {
      out += meanings[at];
    } else {
      return false;
    }
  }
  return false;
}

// A string, or the letters of a number, true, false or null.
bool read_value(Scanner& in, std::string& out) {
  in.space();
  if (in.rest.starts_with('"')) return read_string(in, out);
  size_t end = std::min(in.rest.find_first_of(",]} \t\r\n"), in.rest.size());
  out = in.rest.substr(0, end);
  in.rest.remove_prefix(end);
  if (out == "null") return out.clear(), true;
  return !out.empty() && out.find_first_of("[{\"") == std::string::npos;
}

std::string* member_of(ListRow& row, std::string_view name) {
  if (name == "id") return &row.id;
  if (name == "pid") return &row.pid;
  if (name == "status") return &row.status;
  if (name == "bundle") return &row.bundle;
  if (name == "created") return &row.created;
  if (name == "owner") return &row.owner;
  return nullptr;
}

bool read_row(Scanner& in, ListRow& row) {
  if (!in.take('{')) return false;
  if (in.take('}')) return true;
  do {
    std::string name, value;
    if (!read_string(in, name) || !in.take(':') || !read_value(in, value)) return false;
    if (std::string* member = member_of(row, name)) *member = value;
  } while (in.take(','));
  return in.take('}');
}

std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

// Columns on a screen, near enough: UTF-8 tails take none.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

bool read_listing(std::string_view json, std::vector<ListRow>& out) {
  Scanner in{json};
  if (!in.take('[')) return false;
  if (!in.take(']')) {
    do {
      if (!read_row(in, out.emplace_back())) return false;
    } while (in.take(','));
    if (!in.take(']')) return false;
  }
  in.space();
  return in.rest.empty();
}

std::string format_table(const std::vector<ListRow>& rows) {
  constexpr size_t columns = 6;
  std::vector<std::string> cells = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
  for (const ListRow& row : rows) {
    for (const std::string* cell : {&row.id, &row.pid, &row.status, &row.bundle, &row.created, &row.owner}) {
      cells.push_back(printable(cell->empty() ? "-" : *cell));
    }
  }
  size_t widths[columns] = {};
  for (size_t i = 0; i < cells.size(); i++) widths[i % columns] = std::max(widths[i % columns], width(cells[i]));
  std::string table;
  for (size_t i = 0; i < cells.size(); i++) {
    table += cells[i];
    bool last = i % columns == columns - 1;
    if (last)
      table += '\n';
    else
      table.append(widths[i % columns] - width(cells[i]) + 2, ' ');
  }
  return table;
}

}  // namespace reaper::cli
