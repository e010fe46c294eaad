#!/bin/sh
# SPDX-License-Identifier: MIT
#
# leeway against PyTorch, in turns on one machine, so that other work on it hits both:
#   compare.sh ENGINE PYTHON [SIZE [ROUNDS [STEPS [torch_step.py's options]]]]
# Prints a line a round: milliseconds of a step (median of STEPS), ours and PyTorch's. Both wait
# for their threads in the same way.
set -eu

engine=$1 python=$2 size=${3:-10.8M} rounds=${4:-5} steps=${5:-10} option=${6:-}
here=$(dirname "$0")
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}" OMP_NUM_THREADS=2

step() { awk '$1 == "ms_per_step_median" { print $2 }'; }

echo "round leeway_ms torch_ms ratio load"
i=1
while [ "$i" -le "$rounds" ]; do
    ours=$("$engine" bench train "size=$size" batch_size=4 max_seq_len=64 threads=2 \
        "steps=$steps" warmup=2 | step)
    theirs=$("$python" "$here/torch_step.py" "$size" 4 64 "$steps" $option | step)
    [ -n "$ours" ] && [ -n "$theirs" ] || exit 1
    echo "$i $ours $theirs $(awk "BEGIN { print $ours / $theirs }") $(cut -d' ' -f1 /proc/loadavg)"
    i=$((i + 1))
done
