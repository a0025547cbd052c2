# bash completion for reaper-runtime. Commands, options and their values are what its --help says, so that none is forgotten;
# ids are what `list` finds in the state directory of this line. It needs nothing but bash.
# shellcheck shell=bash

# The left columns of a --help: "-b, --bundle DIR".
_reaper_runtime_help() {
  "$program" "$@" --help 2>/dev/null | sed -n 's/^  \( *-.*\)$/\1/p' | sed 's/^ *//; s/   *.*//'
}

# _reaper_runtime_value WORD: sets `value` to the name of the value that the option WORD takes, "" where it takes none. Of
# the rows in `rows`.
_reaper_runtime_value() {
  local row names
  while read -r row; do
    names=${row%% [A-Za-z]*}
    value=${row#"$names"}
    value=${value# }
    case "$names," in "$1,"* | *" $1,"*) return ;; esac
  done <<<"$rows"
  value=
}

_reaper_runtime_complete_value() {
  case $1 in
    *'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$current") ;;
    DIR)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    FILE | SOCKET)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
  esac
}

# An operand by its place in the usage line.
_reaper_runtime_complete_operand() {
  local usage names
  usage=$("$program" "$command" --help 2>/dev/null | sed -n '1s/.*\[OPTIONS\] *//p')
  # shellcheck disable=SC2086 # words on purpose
  set -- $usage
  shift "$((operands < $# ? operands : $#))"
  case ${1-} in
    # Ids that are in use are no help to who makes one.
    ID)
      case $command in create | run) return ;; esac
      names=$("$program" "${root[@]}" list --quiet 2>/dev/null)
      ;;
    '[SIGNAL]') names=$(compgen -A signal | sed -n 's/^SIG//p') ;;
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$names" -- "$current")
}

# What stands before the word in question: the command, the number of its operands, --root, and the option that waits for a
# value.
_reaper_runtime_read() {
  local i=1 word value
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word=${COMP_WORDS[i++]}
    waiting=
    case $word in
      --) ended=yes ;;
      -*)
        [ -z "$ended" ] || continue
        _reaper_runtime_value "$word"
        [ -n "$value" ] || continue
        waiting=$value
        [ "${COMP_WORDS[i]-}" != = ] || [ "$i" -ge "$COMP_CWORD" ] || i=$((i + 1))
        [ "$i" -lt "$COMP_CWORD" ] || return
        # shellcheck disable=SC2088 # what was typed
        case $word in --root) root=(--root "${COMP_WORDS[i]/#\~\//$HOME/}") ;; esac
        i=$((i + 1))
        waiting=
        ;;
      *)
        if [ -n "$command" ]; then
          operands=$((operands + 1))
        else
          command=$word
          rows=$(_reaper_runtime_help "$command")
        fi
        ;;
    esac
  done
}

_reaper_runtime() {
  local program=${1:-reaper-runtime} current=${COMP_WORDS[COMP_CWORD]} command='' operands=0 waiting='' ended='' rows
  local root=() words
  COMPREPLY=()
  # shellcheck disable=SC2088 # what was typed
  case $program in '~/'*) program=$HOME/${program#'~/'} ;; esac
  rows=$(_reaper_runtime_help)
  _reaper_runtime_read
  [ "$current" != = ] || current=
  if [ -n "$waiting" ]; then
    _reaper_runtime_complete_value "$waiting"
  elif [[ $current == -* && -z $ended ]]; then
    words=$(sed 's/,//g; s/ [A-Za-z].*//' <<<"$rows")
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  elif [ -z "$command" ]; then
    words=$("$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p')
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    _reaper_runtime_complete_operand
  fi
}
complete -F _reaper_runtime reaper-runtime
