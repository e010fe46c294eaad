#!/bin/sh
# SPDX-License-Identifier: MIT
#
# leeway profile and leeway drift from end to end: files, exit codes, what is said.
set -u

. "$srcdir/tests/lib.sh"
cd "$here" || exit 99

# documents COUNT WORDS FIRST: that many documents of about so many words
documents()
{
    awk -v count="$1" -v words="$2" -v seed="$3" 'BEGIN {
        srand(seed)
        for (d = 0; d < count; d++) {
            n = int(words * (0.5 + rand()))
            for (i = 0; i < n; i++)
                printf "w%d ", int(exp(rand() * 5))
            printf "\n\n"
        }
    }'
}

documents 3000 30 1 >a.txt
documents 3000 30 2 >b.txt
documents 1000 90 3 >c.txt
documents 10 30 4 >d.txt
for name in a b c d; do
    expect 0 "$name.json" "$leeway" profile $name.txt 'document_separator=\n\n' -o $name.json
done
grep -q '"items": 3000' a.json || fail "a.json has not 3000 documents"

expect 0 'overall.*ok' "$leeway" drift a.json b.json
expect 4 'seq_length_js is alert' "$leeway" drift a.json c.json
expect 3 'overall.*warn' "$leeway" drift a.json c.json drift_alert=1
expect 0 'seq_length_js.*no data' "$leeway" drift a.json d.json
expect 4 '"overall": "alert"' "$leeway" drift a.json c.json --json
expect 4 'overall.*alert' "$leeway" drift a.json c.json drift_mode=reference
expect 4 'overall.*alert' "$leeway" drift a.json b.json 'drift_thresholds={seq_length_js: [0, 0.0001]}' \
    drift_mode=reference
: >empty.json
printf '{"format_version":1,"modality":"text","items":0}' >none.json
printf '{"format_version":1,"modality":"vision","items":0}' >vision.json
expect 5 'no data' "$leeway" drift none.json none.json
expect 2 'empty.json' "$leeway" drift a.json empty.json
expect 2 'text' "$leeway" drift none.json vision.json
expect 2 'bins' "$leeway" drift a.json none.json
expect 2 'swap them' "$leeway" drift a.json b.json drift_warn=0.3
expect 2 'did you mean seq_length_js' "$leeway" drift a.json b.json \
    'drift_thresholds={seq_length_j: [0.1, 0.2]}'
expect 2 'does not use' "$leeway" drift a.json b.json learning_rate=1
expect 2 'missing.json' "$leeway" drift a.json missing.json
expect 2 'two profiles' "$leeway" drift a.json
expect 2 'needs a file' "$leeway" profile
expect 2 'does not use' "$leeway" profile a.txt batch_size=3
expect 1 'nothing-here' "$leeway" profile nothing-here
exit "$failed"
