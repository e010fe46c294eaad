#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A test of the tests: a sanitizer's finding must fail them, with the report in the log.
set -u

run=$srcdir/tests/run-test.sh
failed=0

# expect pass|fail TEXT PROGRAM [ARGUMENTS]: TEXT must be in the output
expect()
{
    want=$1 text=$2
    shift 2
    output=$(sh "$run" "$@" 2>&1)
    status=$?
    got=fail
    [ "$status" -eq 0 ] && got=pass
    if [ "$got" != "$want" ]; then
        echo "FAIL: $* should $want, but its status is $status"
        failed=1
    elif ! printf '%s\n' "$output" | grep -q "$text"; then
        echo "FAIL: $* says nothing of '$text':"
        printf '%s\n' "$output"
        failed=1
    else
        echo "ok: $*: $got"
    fi
}

expect pass '' tests/faulty none
expect fail '' tests/faulty exit-status
LEEWAY_TEST_TIMEOUT=1 expect fail 'ran out of time' sleep 20

left=$(sh "$run" tests/faulty litter)
if [ -z "$left" ] || [ -e "$left" ]; then
    echo "FAIL: the test's own folder '$left' was not removed"
    failed=1
fi

case ,$SANITIZERS, in
*,address,*)
    expect fail 'heap-buffer-overflow\|insufficient space' tests/faulty overflow
    expect fail 'LeakSanitizer: detected memory leaks' tests/faulty leak
    [ -x tests/faulty_suite ] &&
        expect fail 'LeakSanitizer: detected memory leaks' tests/faulty_suite
    ;;
esac
case ,$SANITIZERS, in
*,undefined,*) expect fail 'signed integer overflow' tests/faulty undefined ;;
esac
exit "$failed"
