#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Two ranks started as torchrun starts its own, by torchrun where it is installed and else by this
# script, against one rank with twice the batch: doc/RANKS.md shows the same by hand.
# Run in the build folder: sh tests/ranks/torchrun.sh [RANKS]
set -eu

srcdir=$(dirname "$0")/../..
. "$srcdir/tests/lib.sh"
ranks=${1:-2}
free_port
common="task=lm_tiny max_steps=20 learning_rate=0.0005 threads=1 device=cpu drift_every=10"

if command -v torchrun >/dev/null; then
    echo "torchrun starts $ranks ranks"
    # shellcheck disable=SC2086 # words
    torchrun --no_python --standalone --nproc_per_node "$ranks" \
        ./leeway train $common batch_size=2 --run-dir "$here/several"
else
    echo "no torchrun here: $ranks ranks with its variables"
    WORLD_SIZE=$ranks MASTER_ADDR=127.0.0.1 MASTER_PORT=${MASTER_PORT:-$port}
    export WORLD_SIZE MASTER_ADDR MASTER_PORT
    rank=1
    while [ "$rank" -lt "$ranks" ]; do
        # shellcheck disable=SC2086
        RANK=$rank LOCAL_RANK=$rank ./leeway train $common batch_size=2 \
            --run-dir "$here/several" &
        rank=$((rank + 1))
    done
    # shellcheck disable=SC2086
    RANK=0 LOCAL_RANK=0 ./leeway train $common batch_size=2 --run-dir "$here/several"
    wait
    unset WORLD_SIZE MASTER_ADDR MASTER_PORT
fi
# shellcheck disable=SC2086
./leeway train --plain $common batch_size=$((2 * ranks)) --run-dir "$here/one" >/dev/null

grep "gradients summed" "$here/several/events.log"
for run in one several; do
    cut -d, -f1,4 "$here/$run/metrics.csv" | grep -v ',$' >"$here/$run.losses"
done
paste -d, "$here/one.losses" "$here/several.losses" | awk -F, '
    NR > 1 { d = $2 - $4; d = d < 0 ? -d : d; if (d > worst) worst = d; n++ }
    END {
        printf "%d steps, losses differ by %.2g at most\n", n, worst
        exit !(n == 20 && worst <= 1e-5)
    }'
