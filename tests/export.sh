#!/bin/sh
# SPDX-License-Identifier: MIT
#
# leeway export of what a real run has: formats, what is said, exit codes, and back again.
set -u

. "$srcdir/tests/lib.sh"
need leeway-engine "leeway-engine was not built"
tiny="d_model=16 num_layers=2 num_heads=2 max_seq_len=16 batch_size=2"
cd "$here" || exit 99

# shellcheck disable=SC2086
expect 0 '^finished: 12 steps' "$leeway" train --plain $tiny max_steps=12 evaluate_every=5 \
    checkpoint_every=4 --run-dir runs/one

# safetensors: there, and back into a run that learns nothing; then it is the same, bit for bit.
expect 0 'step 12, .* tokenizer: bytes' "$leeway" export one --safetensors out/hf
for file in model.safetensors config.json generation_config.json tokenizer_config.json \
    vocab.json merges.txt; do
    [ -s "out/hf/$file" ] || fail "no $file"
done
# shellcheck disable=SC2086
expect 0 '^finished: 1 steps' "$leeway" train --plain $tiny max_steps=1 learning_rate=1e-38 \
    weight_decay=0 init_from=out/hf tokenizer=out/hf --run-dir runs/two
expect 0 "tokenizer: the run's own" "$leeway" export two --safetensors out/again
for file in model.safetensors config.json vocab.json merges.txt; do
    cmp "out/hf/$file" "out/again/$file" || fail "$file did not come back as it was"
done

# ONNX and events, or a word why not.
"$leeway" export one --onnx out/one.onnx --tensorboard out/tb >said 2>&1
case $? in
0)
    grep -q 'opset 17' said && [ -s out/one.onnx ] || fail "--onnx wrote nothing"
    grep -q 'scalars' said && [ -s out/tb/one/events.* ] || fail "--tensorboard wrote nothing"
    ;;
*) [ "$(grep -c 'needs protobuf-c' said)" -eq 2 ] || fail "neither there nor missing" ;;
esac

# A bundle; one in whose way something lies; one at the end of a run.
onnx=no
[ ! -e out/one.onnx ] || onnx=yes
"$leeway" export one --bundle out/bundle >said 2>&1
code=$?
[ "$onnx$code" = yes0 ] || [ "$onnx$code" = no1 ] || fail "--bundle: exit code $code"
for file in artifacts/model.safetensors artifacts/config.json configs/config.yaml \
    configs/task.json metrics.csv metadata.json README.md; do
    [ -s "out/bundle/$file" ] || fail "no $file in the bundle"
done
cmp runs/one/metrics.csv out/bundle/metrics.csv || fail "metrics.csv is another"
cmp out/hf/model.safetensors out/bundle/artifacts/model.safetensors || fail "another model"

# The hashes are sha256sum's: of the checkpoint and the model's files, of a file of data, and of a
# folder's by way of its list.
digest()
{
    sha256sum | cut -c 1-64
}

# says NAME DIGEST: metadata.json has this hash of that
says()
{
    tr -d ' \n' <out/bundle/metadata.json | grep -q "\"$1\":\({\"sha256\":\)\{0,1\}\"$2\"" ||
        fail "metadata.json does not say $2 of $1"
}

if grep -q 'without libcrypto' said; then
    grep -q '"hash of data and checkpoint": "' out/bundle/metadata.json || fail "no word of no hashes"
elif command -v sha256sum >/dev/null; then
    says checkpoint "$(digest <"$(ls -d runs/one/checkpoints/step-*12)/model.safetensors")"
    says artifacts/model.safetensors "$(digest <out/bundle/artifacts/model.safetensors)"
    [ $onnx = no ] || says artifacts/model.onnx "$(digest <out/bundle/artifacts/model.onnx)"
    says data 'builtin'
    mkdir -p texts/below texts/.hidden
    for name in a.txt below/b.txt 'below/c \d.txt' .hidden/no.txt; do
        yes "$name, and what it says" | head -n 50 >"texts/$name"
    done
    # shellcheck disable=SC2086
    expect 0 '^finished: 2 steps' "$leeway" train --plain $tiny max_steps=2 task=lm data=texts \
        validation_data=texts/a.txt 'export_formats=[safetensors]' --run-dir runs/texts
    rm -rf out/bundle
    expect 0 'a bundle of step 2' "$leeway" export texts --bundle out/bundle
    says validation_data "$(digest <texts/a.txt)"
    says data "$(cd texts && find -L . -type f ! -path '*/.*' -printf '%P\0' | LC_ALL=C sort -z |
        xargs -0 sha256sum | digest)"
    rm texts/a.txt
    expect 0 'hash of validation_data is missing: there is no file' "$leeway" export texts \
        --bundle out/bundle
fi
mkdir -p out/half/artifacts/model.onnx/x
expect 1 'model.onnx is missing: ' "$leeway" export one --bundle out/half
[ -s out/half/artifacts/model.safetensors ] || fail "one format's failure keeps out another"
grep -q '"artifacts/model.onnx": "' out/half/metadata.json || fail "what is missing is not named"
[ ! -e out/half/inference.py ] || fail "a program without its model"
# shellcheck disable=SC2086
expect 0 '^finished: 2 steps' "$leeway" train --plain $tiny max_steps=2 export_bundle=true \
    'export_formats=[safetensors]' export_dir=left --run-dir runs/three
[ -s runs/three/left/artifacts/model.safetensors ] || fail "export_bundle wrote nothing"
[ ! -e runs/three/left/artifacts/model.onnx ] || fail "a format that nobody asked for"
grep -q 'export: .*a bundle of step 2' runs/three/events.log || fail "the log has no export"
mkdir -p out/taken && : >out/taken/artifacts
# shellcheck disable=SC2086
expect 1 'but not all was exported' "$leeway" train --plain $tiny max_steps=2 export_bundle=true \
    export_dir="$here/out/taken" --run-dir runs/four
expect 0 'step 2' "$leeway" export four --safetensors out/of-four
expect 2 'torchscript is not available .*there are safetensors and onnx' \
    "$leeway" train 'export_formats=[torchscript]'

# Which checkpoint; wrong usage; nothing to export.
expect 0 'step 8,' "$leeway" export one --step 8 --safetensors out/eight
cmp -s out/hf/model.safetensors out/eight/model.safetensors && fail "step 8 is step 12"
expect 0 'step ' "$leeway" export one --step best --safetensors out/best
expect 2 'no checkpoint .*/step-000005' "$leeway" export one --step 5 --safetensors out/five
expect 2 'last, best or' "$leeway" export one --step x --safetensors out/five
expect 2 'one run at a time' "$leeway" export one two --safetensors out/five
expect 2 'needs a name' "$leeway" export one --safetensors=
expect 2 'nosuch' "$leeway" export nosuch --safetensors out/five
expect 0 'step 12' "$leeway" export one --csv out/one.csv --safetensors out/both
[ -s out/one.csv ] || fail "--csv beside --safetensors writes nothing"
rm -rf runs/two/checkpoints
expect 1 'no checkpoint yet' "$leeway" export two --safetensors out/none
printf x | dd of="$(ls -d runs/one/checkpoints/step-*12)/model.safetensors" bs=1 seek=3000 \
    conv=notrunc 2>/dev/null
expect 0 'passed over: .*its content has changed' "$leeway" export one --safetensors out/older
[ ! -e out/five ] || fail "something was written for an export that failed"
exit "$failed"
