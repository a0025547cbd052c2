# fish completion for reaper-runtime. Commands, options, their values and what is said of them are what its --help says, so
# that none is forgotten; ids are what `list` finds in the state directory of this line.

# The words of the line before the one in question.
function __reaper_runtime_words
    commandline --tokenize --cut-at-cursor --current-process
end

# "COMMAND" and, behind it, its operands. Values of options are no operands.
function __reaper_runtime_operands
    set -l words (__reaper_runtime_words)
    set -l program $words[1]
    set -l rows (__reaper_runtime_rows $program)
    set -l found
    set -l skip no
    for word in $words[2..-1]
        if test $skip = yes
            set skip no
        else if string match --quiet -- '-*' $word
            if string match --quiet --regex -- "(^|, )"(string escape --style=regex -- $word)"\t?[^\t,-]+\t" $rows
                set skip yes
            end
        else
            if not set --query found[1]
                set rows (__reaper_runtime_rows $program $word)
            end
            set --append found $word
        end
    end
    set --query found[1]
    and printf '%s\n' $found
end

# The rows of a --help: the names, the value or nothing, and the text, with tabulators between them.
function __reaper_runtime_rows
    $argv --help 2>/dev/null | string match --regex -- '^ +-.*' | string replace --regex -- \
        '^ +((?:-\w, )?--[\w-]+) ?([^ ]*)  +(.*)$' '$1\t$2\t$3'
end

function __reaper_runtime_root
    set -l words (__reaper_runtime_words)
    set -l index (contains --index -- --root $words)
    and set --query words[(math $index + 1)]
    and printf '%s\n' --root $words[(math $index + 1)]
    string match --regex -- '^--root=.*' $words
end

# Candidates with their descriptions, for the word in question.
function __reaper_runtime_complete
    set -l words (__reaper_runtime_words)
    set -l program (string replace --regex -- '^~/' "$HOME/" $words[1])
    set -l token (commandline --current-token --cut-at-cursor)
    set -l operands (__reaper_runtime_operands)
    set -l rows (__reaper_runtime_rows $program $operands[1])
    # A value that an option waits for, in this word or behind it.
    set -l option (string match --regex -- '^--[\w-]+(?==)' $token)
    or set option (string match --regex -- '^-.*' $words[-1])
    if test -n "$option"
        set -l value (string match --regex -- "(?:^|, )"(string escape --style=regex -- $option)"(?:\t|, [^\t]*\t)([^\t]+)\t" $rows)[2]
        if test -n "$value"
            set -l prefix (string match --regex -- '^--[\w-]+=' $token)
            switch $value
                case '*|*'
                    printf '%s\n' "$prefix"(string split '|' -- $value)
                case DIR
                    __fish_complete_directories (string replace -- "$prefix" '' $token) | string replace --regex -- '^' "$prefix"
                case FILE SOCKET
                    __fish_complete_path (string replace -- "$prefix" '' $token) | string replace --regex -- '^' "$prefix"
            end
            return
        end
    end
    if string match --quiet -- '-*' $token
        for row in $rows
            set -l columns (string split \t -- $row)
            for name in (string split ', ' -- $columns[1])
                printf '%s\t%s\n' $name $columns[3]
            end
        end
    else if test (count $operands) = 0
        $program --help 2>/dev/null | sed -n '/^Commands:/,/^$/p' | string match --regex -- '^  [a-z].*' \
            | string replace --regex -- '^  (\w+).*?  +(.*)$' '$1\t$2'
    else
        set -l usage ($program $operands[1] --help 2>/dev/null | string replace --filter --regex -- '^Usage:.*\[OPTIONS\] ?' '')
        set -l names (string split ' ' -- $usage) none none none
        set -l index (count $operands)
        switch "$names[$index]"
            case ID
                contains -- $operands[1] create run
                or $program (__reaper_runtime_root) list --quiet 2>/dev/null
            case '[SIGNAL]'
                string split ' ' -- (kill -l)
        end
    end
end

complete --command reaper-runtime --no-files --arguments '(__reaper_runtime_complete)'
