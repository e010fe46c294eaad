# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What the shell tests share: . "$srcdir/tests/lib.sh"
#
# Afterwards $build is the build folder, $leeway the program, $here an empty folder that goes when
# the test ends (after cleanup(), which a test may define anew), and $failed what it exits with.

build=$(pwd)
srcdir=$(cd "$srcdir" && pwd)
leeway=$build/leeway
failed=0
here=$(mktemp -d "${TMPDIR:-/tmp}/leeway-$(basename "$0" .sh)-XXXXXX") || exit 99
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY
unset TMUX STY ALLOW_NOTEBOOK_DDP

cleanup()
{
    :
}

trap 'cleanup; tm kill-server 2>/dev/null || :; rm -rf "$here"' EXIT
trap 'exit 130' INT TERM HUP

# tm COMMAND...: a tmux of the test's own. Its server stays while it has no session: a session
# asked for while an empty server is about to end would be lost.
tm()
{
    tmux -S "$here/tmux" -f "$srcdir/tests/tmux.conf" "$@"
}

# need FILE WHY: without it the test is skipped
need()
{
    [ -e "$1" ] || {
        echo "SKIP: $2"
        exit 77
    }
}

# fail WORDS: the test fails, and what the commands wrote is shown
fail()
{
    echo "FAIL: $*"
    for said in "$here"/*.out "$here/said"; do
        [ ! -s "$said" ] || tail -n 20 "$said" | sed "s|^|    $(basename "$said"): |"
    done
    failed=1
}

# until_true COMMAND...: it succeeds, now or within a minute
until_true()
{
    tries=0
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || return 1
        sleep 0.1
    done
}

# expect CODE WORDS COMMAND...: it ends with CODE and says WORDS (if any), on either stream
expect()
{
    code=$1 words=$2
    shift 2
    "$@" >"$here/said" 2>&1 </dev/null
    got=$?
    [ "$got" -eq "$code" ] || fail "$*: exit code $got, not $code"
    [ -z "$words" ] || grep -q -- "$words" "$here/said" || fail "$*: does not say \"$words\""
}

# free_port: sets $port to a port of the loopback that nobody listens at, below those that connections get by
# themselves; another one for every process and call
free_port()
{
    port=${port:-$((20000 + $$ % 12000))}
    while
        port=$((port + 1))
        grep -q ":$(printf %04X "$port") " /proc/net/tcp /proc/net/tcp6 2>/dev/null
    do :; done
}

# on_screen WORDS: in the terminal that tm shows
on_screen()
{
    tm capture-pane -p | grep -qF -- "$1"
}
