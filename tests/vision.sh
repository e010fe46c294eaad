#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Classifiers as a user trains them: what the data decides, and whether they learn.
set -u

. "$srcdir/tests/lib.sh"
need leeway-engine "leeway-engine was not built"
tiny="d_model=16 num_layers=1 num_heads=2 patch_size=4 batch_size=4"
cd "$here" || exit 99

# idx FOLDER: 20 images of 8 x 8 pixels, black and white ones in turns, of classes 0 and 1
idx()
{
    mkdir -p "$1"
    {
        printf '\000\000\010\003\000\000\000\024\000\000\000\010\000\000\000\010'
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            head -c 64 /dev/zero
            head -c 64 /dev/zero | tr '\000' '\377'
        done
    } >"$1/all-images-idx3-ubyte"
    {
        printf '\000\000\010\001\000\000\000\024'
        printf '\000\001\000\001\000\001\000\001\000\001\000\001\000\001\000\001\000\001\000\001'
    } >"$1/all-labels-idx1-ubyte"
}

# The data's own mean and deviation: half of the pixels are 0, half are 1. They are numbers from
# then on: in the run's configuration, for whoever goes on, and in what is exported. augment=true
# leaves digits unmirrored.
idx data/squares
# shellcheck disable=SC2086
expect 0 '^finished: 4 steps' "$leeway" train --plain task=vision_classification \
    data=data/squares validation_split=0 image_mean=data image_std=data augment=true $tiny \
    max_steps=4 checkpoint_every=2 --run-dir runs/own
grep -q '^image_mean: \[0.5, 0.5, 0.5\]  # of the training data' runs/own/config.yaml &&
    grep -q '^image_std: \[0.5, 0.5, 0.5\]  # of the training data' runs/own/config.yaml ||
    fail "config.yaml has other numbers: $(grep '^image_[ms]' runs/own/config.yaml)"
grep -q '^augment: crop  # true' runs/own/config.yaml || fail "augment=true is not crop for IDX"
grep -q 'mean \[0.5, 0.5, 0.5\] and deviation \[0.5, 0.5, 0.5\] of 20 images' runs/own/events.log ||
    fail "events.log does not say what was computed"
expect 0 'step 4' "$leeway" export own --safetensors out/own
tr -d ' \n' <out/own/preprocessor_config.json >out/line
grep -q '"image_mean":\[0.5,0.5,0.5\],"image_std":\[0.5,0.5,0.5\]' out/line ||
    fail "preprocessor_config.json has other numbers: $(cat out/line)"
expect 0 '^finished: 6 steps' "$leeway" resume own --plain max_steps=6
[ "$(grep -c 'and deviation' runs/own/events.log)" -eq 1 ] || fail "a resume computes them again"

# Both learn, in a quarter of the preset's steps or half of them. Chance is 25 %, and a model that
# is fine gets 98 and 96 %.
# learns BAR key=value...: the last evaluation's accuracy
learns()
{
    bar=$1
    shift
    rm -rf runs/learns
    expect 0 '^finished' "$leeway" train --plain "$@" evaluate_every=epoch drift_every=off \
        checkpoint_every=off --run-dir runs/learns
    got=$(sed -n 's/.* accuracy \([0-9]*\).*%.*/\1/p' runs/learns/events.log | tail -n 1)
    [ "${got:-0}" -ge "$bar" ] || fail "$*: ${got:-no} % of the validation's classes, not $bar"
}
if [ -z "${SANITIZERS:-}" ]; then # they see every kernel elsewhere, and take minutes for this
    learns 90 task=vision_tiny num_layers=2 max_steps=256
    learns 85 task=cls_tiny num_layers=1 max_steps=512
fi

# What does not fit init_from is said in a line, with what to do.
q="--plain batch_size=2 max_steps=1 drift_every=off checkpoint_every=off"
# shellcheck disable=SC2086
for task in lm_tiny cls_tiny vision_tiny; do
    expect 0 '^finished' "$leeway" train $q task=$task d_model=16 num_layers=1 num_heads=1 \
        max_seq_len=16 evaluate_every=off --run-dir runs/$task
    expect 0 'step 1' "$leeway" export $task --safetensors out/$task
done
bpe=$srcdir/tests/data/gpt2-bpe
# refused CODE WORDS key=value...: a start from one of these
refused()
{
    code=$1 words=$2
    shift 2
    # shellcheck disable=SC2086
    expect "$code" "$words" "$leeway" train $q "$@"
}
seq 1 400 | sed 's/$/ is what line this is/' >lines.txt
refused 1 'ids, the model.s vocabulary only 257: use tokenizer=FOLDER' init_from=out/lm_tiny \
    tokenizer="$bpe" max_seq_len=16
refused 1 'beyond the vocabulary of 257: use tokenizer=FOLDER' init_from=out/lm_tiny data=lines.txt \
    tokenizer="$bpe" max_seq_len=16
refused 1 'out/cls_tiny a vocabulary of 257: use tokenizer=FOLDER' init_from=out/cls_tiny \
    task=cls_tiny tokenizer="$bpe" max_seq_len=16
refused 1 'use max_seq_len=16 or less' init_from=out/lm_tiny max_seq_len=17
refused 1 'not gpt2; task=vision_classification goes on with a ViT' init_from=out/vision_tiny
refused 1 'not vit; task=lm and' init_from=out/lm_tiny task=vision_tiny
refused 1 'made for images of 32 pixels, not 8: leave image_size out' init_from=out/vision_tiny \
    task=vision_classification data=data/squares image_size=8
refused 2 'there is no file or folder .*/out/none' init_from=out/none
refused 1 'there is no folder .*/lines.txt: it takes one' init_from=lines.txt
refused 1 'has no config.json' init_from=data
refused 2 'brings 4 classes, not 3: leave it out' init_from=out/cls_tiny task=cls_tiny num_classes=3
refused 0 'd_model, num_layers, num_heads: init_from.s own count' init_from=out/lm_tiny max_seq_len=16 \
    d_model=64 num_layers=3 num_heads=1
refused 0 'tells 4 classes apart, not 2: its head is replaced' init_from=out/vision_tiny \
    task=vision_classification data=data/squares
exit "$failed"
