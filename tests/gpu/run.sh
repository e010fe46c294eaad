#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tests that need a GPU, from binaries that were built anywhere:
#   run.sh BUILD [SOURCE] [suites|golden|train|memcheck|racecheck|initcheck ...]
# BUILD is a build folder (make check-gpu, or make leeway leeway-engine libleeway-cuda.so and the
# suites below), SOURCE the tree it was built from (default: where this script lies). Libraries that
# the machine lacks may lie in BUILD/lib. The words choose parts; without any all are run, and the
# sanitizers left out where there is no compute-sanitizer. Prints a line a part; exits 1 where one
# failed. CHECK_GPU_KEEP=FOLDER keeps all output there.
set -u

build=$(cd "${1:?usage: run.sh BUILD [SOURCE] [PART ...]}" && pwd) || exit 2
shift
source=$(cd "$(dirname "$0")/../.." && pwd)
if [ -d "${1:-}" ]; then
    source=$(cd "$1" && pwd)
    shift
fi
parts=${*:-suites golden train memcheck racecheck initcheck}

work=$(mktemp -d "${TMPDIR:-/tmp}/leeway-gpu-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
keep=${CHECK_GPU_KEEP:-$work/output}
mkdir -p "$keep" "$work/tmp" "$work/cache" || exit 2

LD_LIBRARY_PATH=$build/.libs:$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
LEEWAY_MODULES=$build
LEEWAY_ENGINE=$build/.libs/leeway-engine
[ -x "$LEEWAY_ENGINE" ] || LEEWAY_ENGINE=$build/leeway-engine
LEEWAY_TEST_BUILD=$build
LEEWAY_TEST_SOURCES=$source
TMPDIR=$work/tmp
XDG_CACHE_HOME=$work/cache
LC_ALL=C.UTF-8
export LD_LIBRARY_PATH LEEWAY_MODULES LEEWAY_ENGINE LEEWAY_TEST_BUILD LEEWAY_TEST_SOURCES \
    TMPDIR XDG_CACHE_HOME LC_ALL
unset LEEWAY_BACKEND

failed=0

# What libtool linked lies in .libs behind a script that knows the place it was built in.
program()
{
    folder=$build/$(dirname "$1")
    if [ -x "$folder/.libs/${1##*/}" ]; then
        echo "$folder/.libs/${1##*/}"
    else
        echo "$build/$1"
    fi
}

# say NAME STATUS TEXT
say()
{
    if [ "$2" = 0 ]; then
        echo "pass  $1: $3"
    else
        failed=1
        echo "FAIL  $1: $3"
        tail -n 40 "$keep/$1" | sed 's/^/      | /'
    fi
}

# limited SECONDS COMMAND...: with its output in $keep/$name
limited()
{
    seconds=$1
    shift
    timeout -k 10 "$seconds" "$@" >"$keep/$name" 2>&1
}

# A suite whose tests were all skipped has not passed: this is about a machine with a GPU.
suite()
{
    name=$1
    limited "$2" "$(program "tests/$3")" --verbose=1
    status=$?
    line=$(sed -n 's/.*Synthesis: //p' "$keep/$name" | tail -n 1)
    skipped=$(grep -c '^\[SKIP\]' "$keep/$name")
    case $line in
    'Tested: 0 '* | '') status=1 line="nothing was tested" ;;
    esac
    say "$name" "$status" "$line, $skipped skipped"
}

run_suites()
{
    for each in ops_cuda ops_cuda_attention ops_cuda_dropout ops_cuda_images cudnn_graph gpu gpu_run; do
        [ -e "$build/tests/test_$each" ] || [ -e "$build/tests/.libs/test_$each" ] || {
            echo "skip  $each: not in this build"
            continue
        }
        suite "$each" 600 "test_$each"
    done
}

run_golden()
{
    LEEWAY_TEST_DEVICE=cuda
    export LEEWAY_TEST_DEVICE
    suite golden 600 test_model_golden
    unset LEEWAY_TEST_DEVICE
}

small="d_model=128 num_layers=2 num_heads=2 max_seq_len=128 batch_size=8 threads=2 device=cuda"

# The cells of a column that are not empty.
known()
{
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        $at != "" { n++ } END { print n + 0 }' "$1"
}

# The largest cell of a column.
best()
{
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        $at != "" && (best == "" || $at > best) { best = $at } END { print best }' "$1"
}

run_train()
{
    for how in "precision=bf16 compile_mode=none" "precision=bf16 compile_mode=default" \
        "precision=bf16 compile_mode=reduce-overhead" "precision=bf16 compile_mode=max-autotune" \
        "precision=fp32 compile_mode=default" "precision=bf16 attention=math" \
        "precision=bf16 deterministic=true" "precision=bf16 dropout=0.1" \
        "precision=bf16 dropout=0.1 compile_mode=reduce-overhead"; do
        name="train $how"
        name=$(echo "$name" | tr ' =' '--')
        rm -rf "$work/run"
        # shellcheck disable=SC2086 # lists of words
        limited 300 "$(program leeway)" train --plain --run-dir "$work/run" $small $how \
            max_steps=200 evaluate_every=100 sample_every=100 learning_rate=3e-3
        status=$?
        csv=$work/run/metrics.csv
        text=$(sed -n 's/.*\(finished after .*\)/\1/p' "$work/run/events.log" | tail -n 1)
        for column in system/gpu_memory_mb system/gpu_utilization system/gpu_power_w \
            system/gpu_temperature_c system/gpu_clock_mhz; do
            [ "$status" -ne 0 ] || [ "$(known "$csv" "$column")" -gt 0 ] ||
                text="$text; $column is empty"
        done
        # a card may not tell all of it, but every one tells its memory
        case $text in *gpu_memory_mb*) status=1 ;; esac
        say "$name" "$status" "$text"
    done
    for how in "task=cls_tiny compile_mode=none" "task=cls_tiny compile_mode=reduce-overhead" \
        "task=vision_tiny compile_mode=reduce-overhead"; do
        name="train $how"
        name=$(echo "$name" | tr ' =' '--')
        rm -rf "$work/run"
        # shellcheck disable=SC2086
        limited 300 "$(program leeway)" train --plain --run-dir "$work/run" $how device=cuda \
            precision=bf16 threads=2 max_steps=600 evaluate_every=200
        status=$?
        best=$(best "$work/run/metrics.csv" val/accuracy)
        [ "$status" -ne 0 ] || awk -v x="$best" 'BEGIN { exit !(x >= 0.9) }' || status=1
        say "$name" "$status" "validation accuracy ${best:-none}, 0.9 at least is right"
    done
}

sanitizer()
{
    for place in "$(command -v compute-sanitizer)" /usr/local/cuda/bin/compute-sanitizer; do
        [ -x "$place" ] && echo "$place" && return
    done
}

# sanitized TOOL NAME COMMAND...
sanitized()
{
    tool=$1 name=$1-$2
    shift 2
    limited 1200 "$(sanitizer)" --tool "$tool" --target-processes all --error-exitcode 9 \
        --print-limit 20 "$@"
    status=$?
    count=$(sed -n 's/.*ERROR SUMMARY: \([0-9]*\) error.*/\1/p; s/.*RACECHECK SUMMARY: \([0-9]*\) hazard.*/\1/p' \
        "$keep/$name" | awk '{ n += $1 } END { print NR ? n " errors in " NR " processes" : "" }')
    [ -n "$count" ] || status=1
    case $count in
    '0 '*) ;;
    *) status=1 ;;
    esac
    say "$name" "$status" "${count:-no summary}"
}

run_memcheck()
{
    for how in "precision=bf16" "precision=bf16 attention=math" "precision=fp32" \
        "precision=bf16 compile_mode=reduce-overhead" "precision=bf16 deterministic=true" \
        "precision=bf16 recompute=gelu+norm gradient_accumulation_steps=2"; do
        # shellcheck disable=SC2086
        sanitized memcheck "$(echo "model $how" | tr ' =' '--')" "$LEEWAY_ENGINE" bench train \
            size=custom d_model=128 num_layers=2 num_heads=2 max_seq_len=128 batch_size=4 \
            device=cuda steps=2 warmup=1 $how
    done
    rm -rf "$work/run"
    # shellcheck disable=SC2086
    sanitized memcheck train "$(program leeway)" train --plain --run-dir "$work/run" $small \
        max_steps=6 evaluate_every=3 sample_every=3
    sanitized memcheck ops "$(program tests/test_ops_cuda)"
    sanitized memcheck attention "$(program tests/test_ops_cuda_attention)"
    sanitized memcheck dropout "$(program tests/test_ops_cuda_dropout)"
}

# Shared memory as NVIDIA's matrix products use it looks like races to the tool: only hazards in
# kernels of ours count.
run_racecheck()
{
    name=racecheck-ops
    limited 1200 "$(sanitizer)" --tool racecheck --target-processes all --print-limit 100000 \
        "$(program tests/test_ops_cuda)"
    status=$?
    ours=$(grep 'Race reported between' "$keep/$name" | grep -cvE 'nvjet|cutlass|cublas|cudnn|cub::')
    [ "$ours" -eq 0 ] && grep -q 'RACECHECK SUMMARY' "$keep/$name" || status=1
    say "$name" "$status" "$ours hazards in kernels of ours"
}

for part in $parts; do
    case $part in
    suites) run_suites ;;
    golden) run_golden ;;
    train) run_train ;;
    memcheck | racecheck | initcheck)
        if [ -z "$(sanitizer)" ]; then
            echo "skip  $part: no compute-sanitizer here"
        elif [ "$part" = memcheck ]; then
            run_memcheck
        elif [ "$part" = racecheck ]; then
            run_racecheck
        else
            sanitized "$part" ops "$(program tests/test_ops_cuda)"
        fi
        ;;
    *)
        echo "run.sh: no part \"$part\": suites, golden, train, memcheck, racecheck, initcheck" >&2
        exit 2
        ;;
    esac
done
exit "$failed"
