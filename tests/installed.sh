#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Is what `make install` left complete? Called by make installcheck with the folders of the library
# and of the programs: a program that includes every header ($INCLUDED) is built with leeway.pc.
set -eu

libdir=$1 bindir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for header in $INCLUDED; do
    printf '#include "%s"\n' "$header"
done >"$work/use.c"
cat >>"$work/use.c" <<'C'
int main(void)
{
    uint32_t word[4];

    lw_philox(0, 0, 0, word);
    return word[0] == 0x6627e8d5 ? 0 : 1;
}
C
# shellcheck disable=SC2046,SC2086 # words
${CC:-cc} -D_GNU_SOURCE -o "$work/use" "$work/use.c" $(pkg-config --cflags --libs leeway)
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$work/use"

for program in "$bindir"/leeway "$bindir"/leeway-engine; do
    [ ! -x "$program" ] || LD_LIBRARY_PATH=$libdir "$program" --help >/dev/null
done
echo "installed: library, headers, leeway.pc and programs work"
