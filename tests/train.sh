#!/bin/sh
# SPDX-License-Identifier: MIT
#
# leeway train with the real engine on a tiny model: how it ends in the foreground, in the
# background, and under a console that is killed.
set -u

. "$srcdir/tests/lib.sh"
need leeway-engine "leeway-engine was not built"
tiny="d_model=16 num_layers=1 num_heads=1 max_seq_len=16 batch_size=2 epochs=1000"

cleanup()
{
    for run in "$here"/runs/*/; do
        "$leeway" stop "$run" >/dev/null 2>&1
    done
}

state_is()
{
    "$leeway" runs --json | grep -A 3 "\"name\": \"$1\"" | grep -q "\"state\": \"$2\""
}

# has_steps NAME [MORE]: 20 steps, after MORE others
has_steps()
{
    [ "$(wc -l <"runs/$1/metrics.csv")" -gt $((20 + ${2:-0})) ]
}

# goes_on NAME: it makes more steps than one that is about to stop
goes_on()
{
    until_true has_steps "$1" "$(wc -l <"runs/$1/metrics.csv")" && state_is "$1" running
}

has_checkpoint()
{
    ls -d "runs/$1"/checkpoints/step-* >/dev/null 2>&1
}

# foreground NAME: a run in the foreground of the background process $pid
foreground()
{
    # shellcheck disable=SC2086
    "$leeway" train --plain $tiny max_steps=1000000 run_name="$1" --run-dir "runs/$1" \
        >"$1.out" 2>&1 </dev/null &
    pid=$!
    until_true has_steps "$1" || fail "$1 does not train"
}

# ends CODE: the foreground process ends with this code
ends()
{
    wait "$pid"
    code=$?
    [ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

cd "$here" || exit 99

# To its own end: some lines, a summary, 0.
# shellcheck disable=SC2086
"$leeway" train --plain $tiny max_steps=40 --run-dir runs/whole >whole.out 2>&1 ||
    fail "a whole run: exit code $?"
grep -q '^finished: 40 steps' whole.out || fail "no summary of a whole run"
grep -q 'best validation loss .* at step 40' whole.out || fail "the summary lacks the best loss"
tr -d '\n' <whole.out | grep -q '[[:cntrl:]]' && fail "control characters in a log"
# By a parent that closed what a program reads from and prints to.
# shellcheck disable=SC2086
"$leeway" train --plain $tiny max_steps=3 --run-dir runs/mute <&- >&- 2>&- ||
    fail "a run without standard files: exit code $?"
state_is mute finished || fail "a run without standard files is not finished"
# shellcheck disable=SC2086
"$leeway" train --plain $tiny max_steps=40 --run-dir runs/whole >again.out 2>&1
[ $? -ne 0 ] || fail "a second run in the same folder"
grep -q 'runs/whole' again.out || fail "the folder is not named"

# Signals stop it after a checkpoint; SIGHUP only lets go of it.
foreground interrupted
kill -INT "$pid"
ends 130
has_checkpoint interrupted || fail "SIGINT: no checkpoint"
state_is interrupted stopped || fail "SIGINT: not stopped"
foreground terminated
kill -TERM "$pid"
ends 143
has_checkpoint terminated || fail "SIGTERM: no checkpoint"
foreground hungup
kill -HUP "$pid"
ends 0
goes_on hungup || fail "SIGHUP: the run does not go on"
"$leeway" stop hungup >stop.out 2>&1 || fail "stop: exit code $?"
until_true state_is hungup stopped || fail "stop: it goes on"

# Killed in the foreground: the lifeline ends it with a checkpoint.
foreground killed
kill -KILL "$pid"
wait "$pid" 2>/dev/null
until_true state_is killed stopped || fail "SIGKILL in the foreground: the run goes on"
has_checkpoint killed || fail "SIGKILL in the foreground: no checkpoint"

# In the background; pausing, going on; then the same folder again, further.
# shellcheck disable=SC2086
"$leeway" train --detach $tiny max_steps=1000000 --run-dir runs/behind >behind.out 2>&1 ||
    fail "--detach: exit code $?"
grep -qx "$here/runs/behind" behind.out || fail "--detach does not print the folder"
until_true has_steps behind || fail "--detach: it does not train"
"$leeway" pause behind >pause.out 2>&1 || fail "pause: exit code $?"
until_true state_is behind paused || fail "it is not paused"
"$leeway" continue behind >continue.out 2>&1 || fail "continue: exit code $?"
until_true state_is behind running || fail "it does not go on"
"$leeway" checkpoint behind >checkpoint.out 2>&1 || fail "checkpoint: exit code $?"
has_checkpoint behind || fail "checkpoint: there is none"
"$leeway" resume behind --detach >busy.out 2>&1 && fail "resumed though it is running"
"$leeway" stop behind >stop.out 2>&1
until_true state_is behind stopped || fail "it was not stopped"
steps=$(tail -n 1 runs/behind/metrics.csv | cut -d , -f 1)
"$leeway" resume behind max_steps=$((steps + 30)) --plain >resume.out 2>&1 ||
    fail "resume: exit code $?"
grep -q "^finished: .*steps" resume.out || fail "resume: no summary"
[ "$(tail -n 1 runs/behind/metrics.csv | cut -d , -f 1)" -eq $((steps + 30)) ] ||
    fail "resume: it did not go on from step $steps"

# train resume_from=RUN is the same, before there is a checkpoint as well; a file changes what it says.
mkdir -p runs/young
cp runs/behind/config.yaml runs/young/
"$leeway" train resume_from=runs/young max_steps=3 --plain >young.out 2>&1 ||
    fail "resume_from: exit code $?"
grep -q "^finished: 3 steps" young.out || fail "resume_from: no summary"
grep -q '^resume_from: none' runs/young/config.yaml || fail "a run that looks for itself"
printf 'max_steps: 7\nresume_from: runs/young\n' >more.yaml
"$leeway" train more.yaml notes=twice --plain >young.out 2>&1 || fail "resume_from in a file: exit code $?"
grep -q "^finished: 7 steps" young.out || fail "resume_from in a file: its max_steps"
grep -q '^notes: twice' runs/young/config.yaml || fail "resume_from in a file: a word beside it"
grep -q '^# command: .*resume_from=runs/young' runs/young/config.yaml || fail "the notes are gone"
"$leeway" train resume_from=runs/young --run-dir runs/other --plain >other.out 2>&1
[ $? -eq 2 ] || fail "resume_from and --run-dir: exit code"
grep -q -- '--run-dir' other.out || fail "resume_from and --run-dir: not said"

# A start that fails says why, once, and with 1; what is missing is told before there is a run.
: >empty.txt
"$leeway" train --plain data=empty.txt >empty.out 2>&1
[ $? -eq 1 ] || fail "empty data: exit code"
[ "$(grep -c 'empty.txt' empty.out)" -eq 1 ] || fail "empty data: not said once"
runs=$(ls runs | wc -l)
"$leeway" train --plain data=/no/such/place >missing.out 2>&1
[ $? -eq 2 ] || fail "missing data: exit code"
[ "$(grep -c '/no/such/place' missing.out)" -eq 1 ] || fail "missing data: not said once"
[ "$(ls runs | wc -l)" -eq "$runs" ] || fail "missing data: a run was made"

expect 2 'doctor takes no "x"' "$leeway" doctor x
expect 2 'console' "$leeway" bench

# Under a console: leaving it, dropping its line and killing it leave the run alone.
if command -v tmux >/dev/null; then
    tm new -d -x 100 -y 30 "env -i PATH='$PATH' TERM=tmux-256color LC_ALL=C.UTF-8 PS1='$ ' \
        ASAN_OPTIONS='${ASAN_OPTIONS:-}' UBSAN_OPTIONS='${UBSAN_OPTIONS:-}' OMP_WAIT_POLICY=passive sh"
    tm send-keys "$leeway train $tiny max_steps=1000000 --run-dir runs/shown" Enter
    until_true on_screen running || fail "no console on a new run"
    until_true has_steps shown || fail "a run under a console does not train"
    tm send-keys q
    until_true on_screen 'shown goes on training' || fail "leaving does not say how to come back"
    state_is shown running || fail "leaving the console stopped the run"
    tm send-keys "clear; $leeway attach shown" Enter
    until_true on_screen running || fail "attach"
    tm kill-server # the line drops: SIGHUP to all in the terminal
    goes_on shown || fail "a dropped line stopped the run"
    "$leeway" stop shown >stop.out 2>&1
    until_true state_is shown stopped || fail "the run under a console was not stopped"
fi

exit "$failed"
