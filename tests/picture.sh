#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Pictures from the command line: files, exit codes, and what is said where something is missing.
set -u

. "$srcdir/tests/lib.sh"
need .libs/libleeway-picture.so "this build draws no pictures"
cd "$here" || exit 99

# begins FILE TEXT
begins()
{
    head -c 200 "$1" | grep -aq -- "$2" || fail "$1 does not begin with $2"
}

mkdir runs
"$build/tests/fake_run" runs/one 1000 0 1000 text || exit 99
expect 0 '' "$leeway" export one --png a.png --svg a.svg --pdf a.pdf --size 8x6 --dpi 100
begins a.png PNG
begins a.svg '<svg'
begins a.pdf '%PDF'
[ "$(od -An -tu1 -j16 -N8 a.png | tr -s ' ')" = ' 0 0 3 32 0 0 2 88' ] || fail "a.png is not 800x600"
"$leeway" export one --png - --size 400x300px >b.png || fail "to stdout"
begins b.png PNG
expect 0 '' "$leeway" export one --csv c.csv --png c.png --size 4x3
[ -s c.csv ] && [ -s c.png ] || fail "CSV and picture at once"
profiles='runs/one/profile-reference.json runs/one/profile-current.json'
# shellcheck disable=SC2086
expect 0 'seq_length_js' "$leeway" drift $profiles --png d.png --size 6x4 drift_warn=0.9 drift_alert=0.9
begins d.png PNG

# What makes no picture.
expect 2 'size must be' "$leeway" export one --png x.png --size big
expect 2 'dpi must be' "$leeway" export one --png x.png --dpi 0
expect 2 'too large' "$leeway" export one --png x.png --size 199x199 --dpi 2000
expect 2 'is for --png' "$leeway" export one --size 4x3
expect 1 'cannot write\|cannot open\|No such file' "$leeway" export one --png no/such/folder/x.png
mkdir runs/empty && : >runs/empty/metrics.csv
expect 1 'no data' "$leeway" export empty --png x.png
[ ! -e x.png ] || fail "a picture was left by a command that failed"

# A program without its painter, and a machine without fonts, say so in one line.
cp "$leeway" alone
if ! ./alone export one --png x.png >said 2>&1; then
    grep -q 'no pictures: libleeway-picture.so' said || fail "without the painter"
    [ "$(wc -l <said)" -eq 1 ] || fail "more than one line"
fi
echo '<fontconfig></fontconfig>' >none.conf
FONTCONFIG_FILE=$here/none.conf
export FONTCONFIG_FILE
expect 0 'no font was found.*fonts-dejavu-core' "$leeway" export one --png f.png --size 8x6
begins f.png PNG
exit "$failed"
