#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The real console in a real terminal (tmux): screens, keys, resizing, and every way of leaving it.
# The run is written by fake_run, which holds the lock as an engine does.
set -u

. "$srcdir/tests/lib.sh"
fake=$build/tests/fake_run
{ command -v tmux && command -v ps; } >/dev/null || {
    echo "SKIP: tmux or ps is missing"
    exit 77
}
writer=

cleanup()
{
    [ -z "$writer" ] || kill "$writer" 2>/dev/null
}

fail()
{
    echo "FAIL: $*"
    tm capture-pane -p | sed 's/^/    | /'
    failed=1
}

# expect TEXT: it is on the screen, now or soon
expect()
{
    until_true on_screen "$1" || fail "'$1' is not on the screen"
}

not_on_screen()
{
    ! on_screen "$1"
}

refuse()
{
    until_true not_on_screen "$1" || fail "'$1' is still on the screen"
}

state()
{
    tm display -p '#{alternate_on} #{cursor_flag}'
}

state_is()
{
    [ "$(state)" = "$1" ]
}

echo_is_on()
{
    stty -a <"$(tm display -p '#{pane_tty}')" | grep -q ' echo '
}

# The process that the shell in the terminal runs.
child()
{
    ps -o pid= --ppid "$(tm display -p '#{pane_pid}')" | head -n 1 | tr -d ' '
}

# The step that the head of the dashboard tells, and whether it is another than $first.
shown_step()
{
    tm capture-pane -p | sed -n 's/.*step \([0-9,]*\) of.*/\1/p'
}

has_moved()
{
    now=$(shown_step)
    [ -n "$now" ] && [ "$now" != "$first" ]
}

# The console in a shell, so that what it leaves behind can be seen.
open_console()
{
    tm send-keys "$leeway $* ; echo left with \$?" Enter
    until_true state_is '1 0' || fail "the console did not open"
}

cd "$here" || exit 99
mkdir runs
"$fake" runs/2026-11-22-1000-done 1000 || exit 99
touch runs/none
mkdir runs/2026-11-22-1100-live
"$fake" runs/2026-11-22-1100-live 100000 20 100000 &
writer=$!
until_true test -s runs/2026-11-22-1100-live/status.json || exit 99

tm new -d -x 120 -y 40 "env -i PATH='$PATH' TERM=tmux-256color LC_ALL=C.UTF-8 PS1='$ ' \
    ASAN_OPTIONS='${ASAN_OPTIONS:-}' UBSAN_OPTIONS='${UBSAN_OPTIONS:-}' sh" || exit 99

# The dashboard, as it should be at once.
open_console attach
for text in '2026-11-22-1100-live' running 'of 100,000' 'Loss' 'Perplexity' 'Accuracy' \
    'Learning rate' 'Gradient norm' 'Time per epoch' 'no drift data yet' 'q detach' 'training on'; do
    expect "$text"
done
first=$(shown_step)
until_true has_moved || fail "the step stands still at $first"

# Pages and keys.
tm send-keys Enter
refuse 'Perplexity'
tm send-keys c
expect ' step '
tm send-keys Escape
tm send-keys Escape
expect 'Perplexity'
tm send-keys Right Right Enter
expect 'Accuracy'
refuse 'Perplexity'
tm send-keys 3
expect 'Events'
tm send-keys 4
expect '2026-11-22-1000-done'
tm send-keys '?'
expect 'leave the console; the run goes on'
tm send-keys 1
tm send-keys / r a t e Enter
expect 'Learning rate'
refuse 'Accuracy'
tm send-keys Escape
expect 'Accuracy'
tm send-keys Space
expect FROZEN
tm send-keys Space
refuse FROZEN
tm send-keys X
expect 'Stop training'
tm send-keys n
refuse 'Stop training'

# Sizes, down to one cell and back.
for size in '80 24' '59 14' '19 4' '3 2' '1 1' '200 60'; do
    # shellcheck disable=SC2086
    set -- $size
    tm resize-window -x "$1" -y "$2"
    sleep 0.2
done
expect 'Drift summary'
tm resize-window -x 80 -y 24
expect 'Time per epoch'
refuse 'Drift summary'
tm resize-window -x 120 -y 40
expect 'Drift summary'

# A foreign write is gone after Ctrl-L.
printf '\033[5;5Hintruder' >"$(tm display -p '#{pane_tty}')"
tm send-keys C-l
refuse intruder

# Suspended and resumed.
tm send-keys C-z
until_true state_is '0 1' || fail "Ctrl-Z did not give the screen back"
tm send-keys fg Enter
until_true state_is '1 0' || fail "fg did not bring the console back"
expect 'Perplexity'

# Leaving detaches: the screen is whole again and the run goes on.
tm send-keys q
until_true state_is '0 1' || fail "q did not restore the screen"
expect '2026-11-22-1100-live goes on training'
expect 'leeway attach 2026-11-22-1100-live'
tm send-keys clear Enter
open_console attach live
tm send-keys C-c
expect 'left with 0'
kill -0 "$writer" || fail "leaving the console ended the run"

# A run whose data drifts: its panels, the page with all of them, a score and its reasons.
tm send-keys clear Enter
"$fake" runs/2026-11-22-1050-drift 2000 0 2000 text || exit 99
open_console attach drift
for text in 'Lengths' 'Drift over time' 'Drift heatmap' 'Drift summary' 'WARN' \
    'change'; do
    expect "$text"
done
tm send-keys d
expect 'vs reference'
expect 'Why: '
refuse 'Perplexity'
tm send-keys j
expect 'Why: seq_length_js'
tm send-keys Enter
refuse 'Drift summary'
expect 'seq_length_js'
tm send-keys Escape
tm send-keys l
expect 'vs validation'
tm resize-window -x 80 -y 24
expect 'Drift heatmap'
expect 'Status'
tm resize-window -x 120 -y 40
tm send-keys q
expect 'left with 0'

# However it ends, the terminal is restored and the run lives.
for signal in TERM HUP SEGV ABRT; do
    tm send-keys clear Enter
    open_console attach
    kill -s "$signal" "$(child)"
    until_true state_is '0 1' || fail "SIG$signal left the screen as it was"
    until_true echo_is_on || fail "SIG$signal left the terminal without echo"
    expect 'left with'
done

# A file of another trainer, and a finished run beside it.
tm send-keys clear Enter
printf 'epoch,loss,val_loss,accuracy\n0,2.5,2.25,0.25\n1,1.5,1.75,0.5\n' >keras.csv
open_console watch keras.csv
expect 'accuracy'
expect 'loss'
expect 'keras.csv'
printf '2,1.0,1.25,0.75\n' >>keras.csv
expect 'epoch 2'
tm send-keys q
expect 'left with 0'

# Killed, it cannot clean up; the run does not care.
tm send-keys clear Enter
open_console attach
kill -9 "$(child)"
until_true on_screen 'left with 137' || fail "kill -9"
kill -0 "$writer" || fail "killing the console ended the run"

# Keys without end, as from a broken terminal, leave it time for a signal.
if command -v script >/dev/null; then
    script -qec "exec $leeway attach" /dev/null </dev/zero >flood.out 2>&1 &
    flood=$!
    until_true test -s flood.out || fail "a flood of keys: no picture"
    pkill -TERM -P "$flood"
    until_true sh -c "! pgrep -P $flood" || fail "a flood of keys kept SIGTERM away"
    kill -9 "$flood" 2>/dev/null
fi

# Without a terminal it says so.
out=$("$leeway" attach </dev/null 2>&1)
[ $? -eq 2 ] || fail "attach without a terminal: exit code"
case $out in *watch\ --once*) ;; *) fail "attach without a terminal says: $out" ;; esac

exit "$failed"
