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

exit "$failed"
