#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is written about the program is true: the manual page names every command and renders
# without complaint, completion completes, and the README's commands and fields exist.
set -u

failed=0

fail()
{
    echo "FAIL: $*"
    failed=1
}

[ -x ./leeway ] || exit 77
page=$(sed 's/\\-/-/g' doc/leeway.1)
commands=$(./leeway --help | sed -n 's/^  leeway \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail "leeway --help lists no commands"
for command in $commands; do
    printf '%s\n' "$page" | grep -q "^\.SS \"leeway $command " ||
        fail "the manual page says nothing of leeway $command"
    ./leeway "$command" --help >/dev/null || fail "leeway $command --help fails"
done
if command -v groff >/dev/null; then
    complaints=$(groff -man -ww -Tutf8 doc/leeway.1 "$srcdir/doc/leeway-engine.1" 2>&1 >/dev/null)
    [ -z "$complaints" ] || fail "groff: $complaints"
fi

# complete WORD...: what bash would offer for the last word
complete_words()
{
    bash -c '
        . doc/leeway
        compopt() { :; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _leeway
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

# offers WANTED WORD...
offers()
{
    wanted=$1
    shift
    complete_words "$@" | grep -qx -- "$wanted" || fail "completion of '$*' lacks $wanted"
}

if command -v bash >/dev/null; then
    offers train leeway tr
    offers --plain leeway train --pl
    offers learning_rate= leeway train learning_r
    offers linear leeway train lr_schedule = li
    mkdir "$TMPDIR/place" "$TMPDIR/place/runs" "$TMPDIR/place/runs/one" "$TMPDIR/place/doc"
    cp doc/leeway "$TMPDIR/place/doc/"
    touch "$TMPDIR/place/runs/one/config.yaml"
    here=$(pwd)
    cd "$TMPDIR/place" && offers runs/one leeway attach on && offers runs/one leeway attach runs/o
    cd "$here" || exit 99
fi

for command in $(grep -o '^\./leeway [a-z]*' "$srcdir/README.md" | sed 's/.* //' | sort -u); do
    printf '%s\n' "$commands" | grep -qx "$command" || fail "README.md: no command leeway $command"
done
for field in $(grep '^\./leeway' "$srcdir/README.md" | grep -o ' [a-z_]*=' | tr -d ' =' | sort -u)
do
    printf '%s\n' "$page" | grep -q "^\.B $field\( \|$\)" || fail "README.md: no field $field"
done
exit "$failed"
