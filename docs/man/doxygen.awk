# Shows Doxygen the plain comments of include/reaper.h as its own. A comment that stands before several declarations is
# that of each.

/^$/ { print (paragraph() ? "/**@}*/" : ""); next }
{ line[++lines] = $0 }
END { paragraph() }

function paragraph(   i, many, text) {
  for (i = 1; i <= lines; i++) many += line[i] ~ /^REAPER_API / || line[i] ~ /^#define [^\/]*$/
  if (line[1] !~ /^\/\*/ || line[1] ~ /^\/\* ----/) many = 0
  for (i = 1; i <= lines; i++) {
    text = line[i]
    if (text ~ /^#define REAPER_API/) text = "" # not of the API
    else if (text ~ /SPDX|^\/\* ----/) text = text
    else if (text ~ /^\/\*$/) text = line[1] ~ /SPDX/ ? "/** @file" : "/**"
    else if (text ~ /^\/\* /) text = "/**" escaped(substr(text, 3)) # of one line, or ending in the next
    else if (text ~ /^ \* [A-Z][a-z]+  +/) text = tagged(text)
    else if (text ~ /^ \*/) text = escaped(text)
    else if (text ~ /^[^\/]+[^ ] +\/\* .*\*\/$/) {
      match(text, /\/\* /)
      text = substr(text, 1, RSTART - 1) "/**< " escaped(substr(text, RSTART + 3))
    }
    if (i == 1 && many > 1) text = "/**@{*/" text
    print text
  }
  lines = 0
  return many > 1
}

# "Ownership   What ...": a paragraph with a title.
function tagged(text,   word) {
  split(text, word, / +/)
  sub(/^ \* [A-Z][a-z]+ +/, "", text)
  return " * @par " word[3] "\n" escaped(" * " text)
}

# < begins no tag, but for what stands in backquotes.
function escaped(text,   part, n, i, whole) {
  n = split(text, part, "`")
  for (i = 1; i <= n; i++) {
    if (i % 2 == 1) {
      gsub(/</, "\\\\<", part[i])
      gsub(/#/, "\\\\#", part[i])
    }
    whole = whole (i > 1 ? "`" : "") part[i]
  }
  return whole
}
