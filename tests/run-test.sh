#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run one test program, as `make check` does: run-test.sh PROGRAM [ARGUMENTS]
#
# It gets a folder of its own in TMPDIR and a plain environment. In a sanitizer build a finding
# fails the test even when the program itself exits with 0: Criterion runs each test in a process
# of its own and passes one that only prints a report, as leaks do at the end of a process.
set -u

here=$(mktemp -d "${TMPDIR:-/tmp}/leeway-check-XXXXXX") || exit 99
trap 'chmod -R u+rwx "$here" 2>/dev/null; rm -rf "$here"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$here/tmp" "$here/reports" || exit 99
TMPDIR=$here/tmp
LC_ALL=C.UTF-8
export TMPDIR LC_ALL
unset LEEWAY_ASCII NO_COLOR COLORTERM

if [ -n "${SANITIZERS:-}" ]; then
    common="log_path=$here/reports/report:exitcode=86:abort_on_error=1"
    # not detect_stack_use_after_return: before GCC 13 its frames misalign 64-byte vectors
    ASAN_OPTIONS="$common:detect_leaks=1:detect_stack_use_after_return=0"
    UBSAN_OPTIONS="$common:print_stacktrace=1"
    # Fontconfig, which looks for the fonts of pictures, keeps some patterns for ever.
    echo 'leak:libfontconfig.so' >"$here/leaks"
    LSAN_OPTIONS="suppressions=$here/leaks:print_suppressions=0"
    export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
fi

timeout -k 10 "${LEEWAY_TEST_TIMEOUT:-900}" "$@" >"$here/output" 2>&1
status=$?
cat "$here/output"
[ "$status" -eq 124 ] && echo "run-test.sh: $1 ran out of time"

if [ -n "${SANITIZERS:-}" ]; then
    cat "$here"/reports/report* 2>/dev/null
    if ls "$here"/reports/report* >/dev/null 2>&1 ||
        grep -Eq 'runtime error: |ERROR: [A-Za-z]*Sanitizer' "$here/output"; then
        echo "run-test.sh: a sanitizer reported on $1"
        [ "$status" -eq 0 ] && status=1
    fi
fi
exit "$status"
