# Puts the table of docs/properties.md into the manual page of config.json, in place of its line @PROPERTIES@. POSIX awk.
#   awk -f properties.awk docs/properties.md reaper-config.5

function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  return text
}

FILENAME ~ /\.md$/ {
  # | `/pointer` | type | what | remark |
  if ($0 !~ /^\| `\//) next
  n = split($0, cell, / \| */)
  name = cell[1]
  gsub(/^\| `\/|`$/, "", name)
  gsub(/\//, ".", name)
  remark = cell[4]
  for (i = 5; i <= n; i++) remark = remark " | " cell[i]
  # The test that shows it is for those who work on Reaper.
  gsub(/(; )?`[a-z]+\/[^`]*:[^`]*`,? ?/, "", remark)
  gsub(/`/, "", remark)
  sub(/ *\|? *$/, "", remark)
  table[++rows] = ".TP\n\\fB" roff(name) "\\fR (" cell[2] ")\n" cell[3] (remark == "" ? "" : ": " roff(remark)) "."
  next
}

/^@PROPERTIES@$/ {
  print ".PD 0"
  for (i = 1; i <= rows; i++) print table[i]
  print ".PD"
  next
}
{ print }
