# Makes the manual pages of section 3 out of include/reaper.h: reaper(3), one page for each paragraph of the header that
# declares functions, and a link page for every further name. POSIX awk.
#   awk -v out=DIR -v date=YYYY-MM-DD -v version=0.1.0 -f functions.awk README.md reaper.h
# What stands before a function without a function of its own (constants, structs, callbacks) belongs to its page.

# The example: README.md's first program in C.
FILENAME ~ /README\.md$/ {
  if ($0 == "```c" && example == "") reading = 1
  else if ($0 == "```") reading = 0
  else if (reading) example = example $0 "\n"
  next
}

# Paragraphs: lines up to an empty one.
/^$/ { paragraph(); next }
{ line[++lines] = $0 }

END {
  paragraph()
  overview()
  for (i = 1; i <= pages; i++) page(i)
}

function paragraph(   i, code, name) {
  if (lines == 0) return
  if (line[1] ~ /^\/\* ---- /) {
    if (sections == 0) take_pending(0)
    name = line[1]
    sub(/^\/\* ---- /, "", name)
    sub(/ -+ \*\/$/, "", name)
    section[++sections] = name
  } else if (line[1] ~ /SPDX/) {
    for (i = 3; line[i] != " */"; i++) top[++tops] = comment_text(line[i])
  } else if (line[1] !~ /^#(if|include|endif)/) {
    for (i = 1; i <= lines; i++) if (line[i] ~ /^REAPER_API /) code = 1
    if (code) add_page()
    else for (i = 1; i <= lines; i++) pending[++pendings] = line[i]
    if (!code) pending[++pendings] = ""
  }
  for (i = 1; i <= lines; i++) delete line[i]
  lines = 0
}

function add_page(   i, text, rest, name) {
  pages++
  for (i = 1; i <= lines && line[i] !~ /^REAPER_API /; i++) text = text "\n" comment_text(line[i])
  for (; i <= lines; i++) rest = rest " " line[i]
  gsub(/REAPER_API /, "", rest)
  gsub(/ +/, " ", rest)
  declarations[pages] = split(rest, part, /; ?/) - 1
  for (i = 1; i <= declarations[pages]; i++) {
    sub(/^ /, "", part[i])
    declaration[pages, i] = part[i] ";"
    name = part[i]
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    function_name[pages, i] = name
    owner[name] = pages
  }
  comment[pages] = text
  page_section[pages] = sections
  take_pending(pages)
}

function take_pending(number,   i) {
  for (i = 1; i <= pendings; i++) note_code(definition[number, i] = pending[i])
  definitions[number] = pendings
  pendings = 0
}

function note_code(text,   word) {
  if (text !~ /^#define REAPER_(ERR_|OK )/) return
  split(text, word, / +/)
  sub(/^REAPER_ERR_/, "", word[2])
  meaning[word[2]] = trailing(text)
}

# ---- pieces of C

function comment_text(text) {
  sub(/^\/\* ?/, "", text)
  sub(/ ?\*\/$/, "", text)
  sub(/^ \* ?/, "", text)
  return text
}

function trailing(text) {
  if (text !~ /\/\* .* \*\/$/) return ""
  sub(/^.*\/\* /, "", text)
  sub(/ \*\/$/, "", text)
  return text
}

function without_comment(text) {
  sub(/ *\/\* .* \*\/$/, "", text)
  return text
}

# ---- pieces of roff

function literal(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  if (text ~ /^[.']/) text = "\\&" text
  return text
}

function marked(word,   at, end) {
  if (match(word, /[A-Za-z_][A-Za-z0-9_]*\([1-8]?\)/)) {
    at = substr(word, RSTART, RLENGTH)
    end = substr(word, RSTART + RLENGTH)
    word = substr(word, 1, RSTART - 1)
    sub(/\(.*/, "\\fR&", at)
    return word "\\fB" at end
  }
  if (match(word, /REAPER_[A-Z][A-Z_]*\*?/)) {
    return substr(word, 1, RSTART - 1) "\\fB" substr(word, RSTART, RLENGTH) "\\fR" substr(word, RSTART + RLENGTH)
  }
  return word
}

# Running text, filled. A line that begins with "Word: " begins a paragraph.
function prose(text, file,   n, i, word, all, lines_of, paragraphs, filled, quoted) {
  gsub(/\\/, "\\e", text)
  n = split(text, all, "`")
  text = all[1]
  for (i = 2; i <= n; i++) {
    quoted = all[i]
    if (i % 2 == 0) {
      gsub(/-/, "\\-", quoted)
      gsub(/ /, "\001", quoted)
    }
    text = text (i % 2 == 0 ? "\\fB" : "\\fR") quoted
  }
  n = split(text, lines_of, "\n")
  filled = ""
  for (i = 1; i <= n; i++) {
    if (lines_of[i] ~ /^[A-Z][a-z]+: / && paragraphs++ > 0) {
      flush_line(filled, file)
      filled = ""
      print ".PP" > file
    }
    if (lines_of[i] != "") paragraphs++
    filled = filled " " lines_of[i]
  }
  flush_line(filled, file)
}

function flush_line(text, file,   n, i, word, row) {
  n = split(text, word, / +/)
  for (i = 1; i <= n; i++) {
    if (word[i] == "") continue
    gsub(/\001/, " ", word[i])
    if (word[i] !~ /\\f/) word[i] = marked(word[i])
    if (row != "" && length(row) + length(word[i]) > 76) {
      print row > file
      row = ""
    }
    if (row == "" && word[i] ~ /^[.']/) word[i] = "\\&" word[i]
    row = row (row == "" ? "" : " ") word[i]
  }
  if (row != "") print row > file
}

# A declaration, broken at commas where it is long.
function declare(text, file,   n, i, part, row, indent) {
  n = split(text, part, /, /)
  indent = sprintf("%" index(text, "(") "s", "")
  row = part[1]
  for (i = 2; i <= n; i++) {
    if (length(row) + length(part[i]) > 68) {
      print literal(row ",") > file
      row = indent part[i]
    } else {
      row = row ", " part[i]
    }
  }
  print literal(row) > file
}

function header(name, file) {
  print ".\\\" Made from reaper.h by functions.awk." > file
  print ".TH " name " 3 " date " \"reaper " version "\" \"Reaper Library Manual\"" > file
}

# The first words of a comment, up to where it begins to explain.
function summary(text) {
  gsub(/\n/, " ", text)
  sub(/^ +/, "", text)
  gsub(/`/, "", text)
  sub(/(\. |: |; |, | \(| of \{).*/, "", text)
  sub(/\.$/, "", text)
  return (text ~ /^[A-Z][a-z]/ || text ~ /^A / ? tolower(substr(text, 1, 1)) : substr(text, 1, 1)) substr(text, 2)
}

# ---- constants, structs and callbacks

# In the synopsis, without comments and includes.
function show_definitions(number, file,   i, text) {
  for (i = 1; i <= definitions[number]; i++) {
    text = definition[number, i]
    if (text ~ /^ ?\/?\*/ || text ~ /^ +\/\*.*\*\/$/) continue
    print (text == "" ? ".PP" : literal(without_comment(text))) > file
  }
}

# In the description: a heading for each paragraph, what its comment says, and a tag for each member or constant.
function explain_definitions(number, file,   i, text, title, said, body) {
  for (i = 1; i <= definitions[number]; i++) {
    text = definition[number, i]
    if (text == "") {
      title = ""
      said = ""
    } else if (text ~ /^(\/\*| \*)/) {
      said = said "\n" comment_text(text)
    } else if (title == "") {
      title = heading(number, i)
      if (title == "-") continue
      print ".SS " literal(title) > file
      if (said != "") prose(said, file)
      explain_line(text, file)
    } else if (title != "-") {
      explain_line(text, file)
    }
  }
}

# "-": a paragraph that explains nothing.
function heading(number, i,   text, name, explains) {
  for (; (text = definition[number, i]) != ""; i++) {
    if (text ~ /\*\/$/) explains = 1
    if (text ~ /^typedef struct .*\{/) {
      name = text
      sub(/^typedef struct /, "", name)
      sub(/ .*/, "", name)
      return note_name(number, name)
    }
    if (text ~ /^typedef [a-z]+ \(\*/) {
      name = text
      sub(/^[^*]*\*/, "", name)
      sub(/\).*/, "", name)
      return note_name(number, name)
    }
  }
  return explains ? "Constants" : "-"
}

function note_name(number, name) {
  if (number > 0 && !(name in owner)) link(name, number)
  return name
}

function explain_line(text, file,   said, name) {
  said = trailing(text)
  if (said == "") return
  name = without_comment(text)
  if (name ~ /^ *$/) {
    print ".PP" > file
    prose(said, file)
    return
  }
  sub(/^ +/, "", name)
  sub(/;$/, "", name)
  if (name ~ /^#define /) {
    sub(/^#define /, "", name)
    sub(/ .*/, "", name)
  }
  print ".TP" > file
  print "\\fB" literal(name) "\\fR" > file
  prose(said, file)
}

# ---- pages

function link(name, number,   file) {
  file = out "/" name ".3"
  print ".so man3/" function_name[number, 1] ".3" > file
  close(file)
}

function page(number,   file, i, text, errors, at, names) {
  file = out "/" function_name[number, 1] ".3"
  header(function_name[number, 1], file)
  print ".SH NAME" > file
  for (i = 1; i <= declarations[number]; i++) {
    print function_name[number, i] (i < declarations[number] ? "," : " \\- " summary(comment[number])) > file
    if (i > 1) link(function_name[number, i], number)
  }
  print ".SH LIBRARY\nReaper (\\fIlibreaper\\fR, \\fI\\-lreaper\\fR)\n.SH SYNOPSIS\n.nf" > file
  print ".B #include <reaper.h>\n.PP" > file
  show_definitions(number, file)
  for (i = 1; i <= declarations[number]; i++) declare(declaration[number, i], file)
  print ".fi\n.SH DESCRIPTION" > file
  text = comment[number]
  at = index(text, "Errors: ")
  errors = at == 0 ? "" : substr(text, at + 8)
  if (at > 0) text = substr(text, 1, at - 1)
  prose(text, file)
  explain_definitions(number, file)
  returns(number, file)
  if (errors != "") list_errors(errors, file)
  print ".SH SEE ALSO" > file
  see_also(number, file)
  close(file)
}

function returns(number, file) {
  if (declaration[number, 1] !~ /reaper_error \*\*err/) return
  print ".SH RETURN VALUE" > file
  prose("0 on success. Otherwise one of the negative codes below: nothing that is to be returned is written, and where " \
        "`err` is not NULL, `*err` is an error object, which reaper_error_free(3) frees.", file)
}

function list_errors(text, file,   n, i, word, seen) {
  print ".SH ERRORS" > file
  prose("The names are those of REAPER_ERR_* codes without that prefix: " text, file)
  n = split(text, word, /[^A-Z_]+/)
  for (i = 1; i <= n; i++) {
    if (word[i] == "" || !(word[i] in meaning) || word[i] in seen) continue
    seen[word[i]] = 1
    print ".TP\n\\fBREAPER_ERR_" word[i] "\\fR" > file
    prose(meaning[word[i]], file)
  }
}

# reaper(3), the pages whose functions are named here, and that on errors.
function see_also(number, file,   i, text, name, wanted, row) {
  text = comment[number]
  for (i = 1; i <= definitions[number]; i++) text = text "\n" definition[number, i]
  if (declaration[number, 1] ~ /\*\*err/) text = text " reaper_error_code()"
  while (match(text, /reaper_[a-z_]+\(\)/)) {
    name = substr(text, RSTART, RLENGTH - 2)
    text = substr(text, RSTART + RLENGTH)
    if (name in owner && owner[name] != number) wanted[owner[name]] = 1
  }
  row = ".BR reaper (3)"
  for (i = 1; i <= pages; i++) {
    if (!(i in wanted)) continue
    print row "," > file
    row = ".BR " function_name[i, 1] " (3)"
  }
  print row > file
}

function overview(   file, i, tag, text, now) {
  file = out "/reaper.3"
  header("reaper", file)
  print ".SH NAME\nreaper, libreaper \\- an OCI container runtime as a library" > file
  print ".SH LIBRARY\nReaper (\\fIlibreaper\\fR, \\fI\\-lreaper\\fR)\n.SH SYNOPSIS\n.nf\n.B #include <reaper.h>" > file
  print ".PP\ncc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs reaper)\n.fi\n.SH DESCRIPTION" > file
  for (i = 3; i <= tops + 1; i++) {
    text = top[i]
    if (text ~ /^[A-Z][a-z]+   */ || text == "" || i > tops) {
      if (now != "") prose(now, file)
      now = ""
      if (text == "") {
        if (i < tops) print ".PP" > file
        continue
      }
      print ".TP\n.B " substr(text, 1, index(text, " ") - 1) > file
      sub(/^[A-Z][a-z]+ +/, "", text)
    }
    sub(/^ +/, "", text)
    now = now " " text
  }
  for (now = 0; now <= sections; now++) list_section(now, file)
  print ".SH VERSION" > file
  explain_version(file)
  print ".SH EXAMPLES\nA program that runs the bundle in the directory\n.IR bundle :\n.PP\n.nf" > file
  gsub(/\\/, "\\e", example)
  gsub(/-/, "\\-", example)
  printf "%s", example > file
  print ".fi\n.SH SEE ALSO\n.BR reaper\\-runtime (1),\n.BR pkg\\-config (1),\n.BR reaper\\-config (5)" > file
  close(file)
  # Who looks for the library finds it by its own name, too.
  print ".so man3/reaper.3" > (out "/libreaper.3")
  close(out "/libreaper.3")
}

function list_section(number, file,   i) {
  if (number == 0) {
    print ".SH FUNCTIONS" > file
    return
  }
  print ".SS " section[number] > file
  for (i = 1; i <= pages; i++) {
    if (page_section[i] != number) continue
    print ".TP\n.BR " function_name[i, 1] " (3)" > file
    prose(summary(comment[i]) further_names(i) ".", file)
  }
}

function further_names(number,   i, text) {
  for (i = 2; i <= declarations[number]; i++) text = text (i == 2 ? "; also " : ", ") function_name[number, i] "()"
  return text
}

function explain_version(file,   i, text) {
  for (i = 1; i <= definitions[0]; i++) if (definition[0, i] ~ /^\/\*/) text = text " " comment_text(definition[0, i])
  prose(text, file)
  print ".PP\n.nf" > file
  for (i = 1; i <= definitions[0]; i++) if (definition[0, i] ~ /^#define/) print literal(definition[0, i]) > file
  print ".fi" > file
}
