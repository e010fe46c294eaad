#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What leeway makes of real terminals: tmux, screen, SSH on the loopback with and without one, a
# line that drops, nohup, parents that ignore signals, process 1 of a PID namespace.
set -u

. "$srcdir/tests/lib.sh"
need leeway-engine "leeway-engine was not built"
SCREENDIR=$here/screen
export SCREENDIR
mkdir -m 700 "$SCREENDIR"
tested=0 sshd=
tiny="d_model=16 num_layers=1 num_heads=1 max_seq_len=16 batch_size=2 threads=1 epochs=1000"
long="$tiny max_steps=100000000"

cleanup()
{
    for run in "$here"/*/config.yaml; do
        [ -e "$run" ] && "$leeway" stop "$(dirname "$run")" >/dev/null 2>&1
    done
    [ -z "$sshd" ] || kill "$sshd" 2>/dev/null
}

state_is()
{
    grep -q "\"state\": *\"$2\"" "$here/$1/status.json"
}

step_of()
{
    sed -n 's/.*"step": *\([0-9]*\).*/\1/p' "$here/$1/status.json"
}

# goes_on RUN: its step advances
goes_on()
{
    before=$(step_of "$1")
    n=0
    while [ "$(step_of "$1")" = "$before" ]; do
        n=$((n + 1))
        [ "$n" -lt 300 ] || return 1
        sleep 0.1
    done
}

stop()
{
    "$leeway" stop "$here/$1" >/dev/null || fail "cannot stop $1"
    until_true state_is "$1" stopped || fail "$1 does not stop"
}

# terminal_is NAME FILE: what doctor said the terminal is
terminal_is()
{
    until_true grep -q '^  ends' "$here/$2" || fail "$2: no end"
    grep -q "^guard .*terminal: $1;" "$here/$2" || fail "$2: the terminal is no $1"
    tested=$((tested + 1))
}

# nothing_said FILE: no line of warning below the chain
nothing_said()
{
    grep -q '^  warn' "$here/$1" && fail "$1: warns"
}

if command -v tmux >/dev/null; then
    tm new -d -x 120 -y 40 "JPY_PARENT_PID=1 $leeway doctor >$here/tmux.out 2>&1"
    terminal_is multiplexer tmux.out
    nothing_said tmux.out
    grep -q '^guard *left a notebook;' "$here/tmux.out" || fail "tmux: a stale variable counts"
    tm new -d -x 120 -y 40 "$leeway train $long --run-dir $here/hangup"
    until_true state_is hangup running || fail "no run in tmux"
    tm kill-server
    goes_on hangup || fail "the run ended with its terminal"
    stop hangup
    if command -v script >/dev/null; then
        tm new -d -x 120 -y 40 "script -qc '$leeway doctor' $here/script.log >$here/script.out"
        terminal_is multiplexer script.out
    fi
else
    echo "no tmux: not tested in it"
fi

if command -v screen >/dev/null; then
    screen -d -m sh -c "$leeway doctor >$here/screen.out 2>&1"
    terminal_is multiplexer screen.out
    nothing_said screen.out
else
    echo "no screen: not tested in it"
fi

# An sshd of our own, for ourselves alone.
if [ -x /usr/sbin/sshd ] && command -v ssh >/dev/null && ssh-keygen -qt ed25519 -N '' \
    -f "$here/key" && cp "$here/key.pub" "$here/authorized"; then
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    free_port
    cat >"$here/sshd_config" <<END
ListenAddress 127.0.0.1
Port $port
HostKey $here/key
AuthorizedKeysFile $here/authorized
PidFile none
StrictModes no
UsePAM no
AcceptEnv *
END
    /usr/sbin/sshd -D -f "$here/sshd_config" >"$here/sshd.out" 2>&1 &
    sshd=$!
    line()
    {
        (exec ssh -F none -i "$here/key" -p "$port" -o StrictHostKeyChecking=no \
            -o LogLevel=ERROR -o UserKnownHostsFile=/dev/null -o BatchMode=yes "$@")
    }
    if until_true line 127.0.0.1 true; then
        line -tt 127.0.0.1 "$leeway doctor" </dev/null >"$here/ssh-t.out" 2>&1
        terminal_is 'ssh' ssh-t.out
        grep -q 'come back with: leeway attach RUN' "$here/ssh-t.out" || fail "ssh -t says nothing"
        line 127.0.0.1 "$leeway doctor" </dev/null >"$here/ssh.out" 2>&1
        terminal_is 'ssh without a terminal' ssh.out
        # lines that drop, in the middle of a run
        line -tt 127.0.0.1 "echo \$PPID >$here/sshd-t; TERM=xterm exec $leeway train $long \
            --run-dir $here/ssh-t" </dev/zero >"$here/drop-t.out" 2>&1 &
        line 127.0.0.1 "echo \$PPID >$here/sshd-p; exec $leeway train $long \
            --run-dir $here/ssh" </dev/null >"$here/drop.out" 2>&1 &
        until_true state_is ssh-t running || fail "no run by ssh -t"
        until_true state_is ssh running || fail "no run by ssh"
        # the server's end of both lines: what is left of them is a hang-up and a broken pipe
        kill -9 "$(cat "$here/sshd-t")" "$(cat "$here/sshd-p")"
        goes_on ssh-t || fail "a dropped line took the run along"
        goes_on ssh || fail "a dropped line without a terminal took the run along"
        stop ssh-t
        stop ssh
        grep -q 'warn guard: this SSH session has no tmux' "$here/ssh-t/events.log" ||
            fail "events.log does not tell of SSH"
    else
        echo "sshd does not come up here: not tested over SSH"
    fi
    kill "$sshd"
    sshd=
else
    echo "no sshd: not tested over SSH"
fi

# nohup: SIGHUP stays ignored, and what follows the run does not mind it.
(
    trap '' HUP
    exec "$leeway" train $long --plain --run-dir "$here/nohup"
) </dev/null >"$here/nohup.out" 2>&1 &
nohup=$!
until_true state_is nohup running || fail "no run below nohup"
kill -HUP "$nohup"
grep -q '^SigIgn:.*[13579bdf]$' "/proc/$nohup/status" || fail "SIGHUP is not ignored any more"
goes_on nohup || fail "SIGHUP that is ignored ended the run"
kill -0 "$nohup" || fail "SIGHUP that is ignored ended the front end"
kill -TERM "$nohup"
wait "$nohup"
code=$?
[ "$code" -eq 143 ] || fail "after SIGTERM below nohup: exit code $code"

# A parent that ignores SIGCHLD: exit codes are right all the same.
(
    trap '' CHLD
    "$leeway" train $tiny max_steps=2 --plain --run-dir "$here/deaf"
) >"$here/deaf.out" 2>&1
code=$?
[ "$code" -eq 0 ] || fail "below a parent that ignores SIGCHLD: exit code $code"
grep -q 'finished: 2 steps' "$here/deaf.out" || fail "that run does not end well"

# Nobody reads what is printed: the run comes to its end.
"$leeway" train $tiny max_steps=200 --plain --run-dir "$here/unread" 2>"$here/unread.out" | head -n 1
until_true state_is unread finished || fail "a closed pipe ended the run"

# Process 1 of a container: --detach stays, TERM is heard, nothing is left.
if unshare -pf --kill-child --mount-proc true 2>/dev/null; then
    unshare -pf --kill-child --mount-proc "$leeway" train $long --detach --run-dir "$here/first" \
        >"$here/first.out" 2>&1 &
    unshare=$!
    until_true state_is first running || fail "no run as process 1"
    grep -q 'leeway is process 1 of this container' "$here/first.out" || fail "nothing of process 1"
    first=$(cat "/proc/$unshare/task/$unshare/children")
    # shellcheck disable=SC2086 # the one child of unshare
    kill -TERM $first
    wait "$unshare"
    code=$?
    [ "$code" -eq 143 ] || fail "process 1 after SIGTERM: exit code $code"
    state_is first stopped || fail "process 1 left before its run had ended"
    # sleep as process 1 waits for nobody, a shell does
    unshare -pf --kill-child --mount-proc sh -c "
        (until grep -q sleep /proc/1/comm; do sleep 0.1; done
        $leeway doctor; exec $leeway train $long --plain --run-dir $here/unreaped) \
            >$here/unreaped.out 2>&1 & exec sleep 600" 2>/dev/null &
    sleeper=$!
    until_true grep -q 'process 1 (\"sleep\") does not wait for orphans' "$here/unreaped.out" ||
        fail "an init that reaps nobody is not seen"
    until_true grep -q 'warn guard: process 1 (\"sleep\")' "$here/unreaped/events.log" ||
        fail "an init that reaps nobody is not told to the run"
    kill -9 "$sleeper"
    unshare -m --propagation private sh -c "mount -t proc -o hidepid=2 proc /proc &&
        $leeway doctor" >"$here/hidepid.out" 2>&1 && terminal_is 'no terminal' hidepid.out
    tested=$((tested + 1))
else
    echo "no PID namespaces for us: process 1 is not tested"
fi
echo "$tested places tested"
exit "$failed"
