#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The rules of the house that a machine can check: who may include whom, names that are exported,
# what the console links, sizes of files, licence lines. doc/ARCHITECTURE.md says why.
set -u

build=$(pwd)
cd "$srcdir" || exit 99
failed=0

fail()
{
    echo "FAIL: $*"
    failed=1
}

# files FOLDER...: our C files below these folders, not those a build left there
files()
{
    find "$@" \( -name check-sanitizers -o -name '.*' -o -name '*.pb-c.[ch]' \) -prune -o -name '*.[ch]' -print
}

# may FOLDER ALLOWED...: what the files right in FOLDER may include of the project: folders, or
# single headers
may()
{
    folder=$1
    shift
    for file in "$folder"/*.[ch]; do
        [ -e "$file" ] || continue
        case $file in *.pb-c.[ch]) continue ;; esac
        for header in $(sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
            dir=$(dirname "$header")
            good=no
            for allowed in "$folder" "$@"; do
                [ "$dir" = "$allowed" ] || [ "$header" = "$allowed" ] && good=yes
            done
            [ "$header" = config.h ] && good=yes
            [ "$good" = yes ] || fail "$file includes $header; $folder/ may include: $folder $*"
        done
    done
}

base=engine/base
may engine/base
may engine/config $base
may engine/data $base engine/config
may engine/drift $base engine/config engine/data engine/usage.h engine/verbs.h
may engine/gpu $base
may engine/ops $base
may engine/ops/cpu $base engine/ops
may engine/ops/cuda $base engine/ops
may engine/dist $base engine/config engine/ops
may engine/model $base engine/ops engine/export/safetensors.h
may engine/run $base engine/config
may engine/guard $base engine/config
may engine/export $base engine/model engine/run engine/ops engine/drift/profile.h
may engine/train $base engine/usage.h engine/verbs.h engine/config engine/data engine/dist engine/drift engine/gpu \
    engine/guard engine/ops engine/model engine/run engine/export
may engine $base engine/config engine/data engine/dist engine/drift engine/gpu engine/ops engine/model engine/run engine/export \
    engine/train
may widgets $base
may widgets/cairo widgets $base
may tui $base engine/config engine/dist/launcher.h engine/drift engine/guard engine/run widgets
may tui/commands tui $base engine/config engine/dist/launcher.h engine/drift engine/guard engine/run widgets

# Installed headers include nothing that is not installed.
installed=$(sed -n '/^nobase_pkginclude_HEADERS/,/[^\\]$/p' doc/local.mk | grep -o '[a-z0-9_/]*\.h')
[ -n "$installed" ] || fail "doc/local.mk installs no headers"
for header in $installed; do
    for needed in $(sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$header"); do
        printf '%s\n' "$installed" | grep -qx "$needed" ||
            fail "$header is installed and includes $needed, which is not: add it to doc/local.mk"
    done
done

for folder in $(find engine widgets tui -type d); do
    case $folder in
    engine | engine/base | engine/config | engine/data | engine/dist | engine/drift | engine/gpu | engine/guard | engine/ops | \
        engine/ops/cpu | engine/ops/cuda | engine/model | engine/run | engine/export | \
        engine/train | widgets | widgets/cairo | tui | tui/commands) ;;
    *) if [ -n "$(find "$folder" -maxdepth 1 -name '*.[ch]')" ]; then
        fail "no rule says what $folder/ may include: add it to tests/rules.sh"
    fi ;;
    esac
done

for file in $(files engine); do
    grep -nE '#[ \t]*include[ \t]*<(n?curses|term|cairo)' "$file" &&
        fail "$file: the engine knows no terminal"
    grep -nE '\<cblas_|\<openblas_set' "$file" >/dev/null && case $file in
    engine/ops/cpu/*) ;;
    *) fail "$file: only engine/ops/cpu/ calls BLAS" ;;
    esac
done

# Sizes, licences, and words that belong to one machine only.
for file in $(files engine widgets tui tests); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || fail "$file has $lines lines: split it by purpose (600 at most)"
    head -n 1 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
        fail "$file: the first line must say SPDX-License-Identifier: MIT"
    awk -v file="$file" 'length > 120 { print file ":" NR ": longer than 120 bytes"; bad = 1 }
        END { exit bad }' "$file" || failed=1
done
for file in $(find engine widgets tui tests data doc m4 \( -name local.mk -o -name '*.sh' -o \
    -name 'lw_*.m4' -o -name '*.py' \) -print) Makefile.am configure.ac autogen.sh .ci/run; do
    [ ! -e "$file" ] || head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
        fail "$file: no SPDX line"
done
word=/wor
for file in $(files engine widgets tui tests) $(find doc data tests -name '*.md' -o -name '*.mk' -o \
    -name '*.sh') \
    README.md Makefile.am configure.ac; do
    [ -e "$file" ] || continue
    grep -n "${word}k/" "$file" && fail "$file names a folder of one machine"
done

# Names: everything a shared library or an archive of ours shows to others begins with lw_.
cd "$build" || exit 99
for lib in .libs/libleeway.so .libs/libleeway-core.a .libs/libleeway-widgets.a \
    .libs/libleeway-tui.a; do
    [ -e "$lib" ] || continue
    case $lib in *.so) how=-D ;; *) how=-g ;; esac
    names=$(nm $how --defined-only "$lib" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        grep -vE '^(lw_|_|main$)')
    [ -z "$names" ] || fail "$lib exports names that do not begin with lw_:" $names
done

# A name has one owner: tests link the console and the engine into one program, where two functions
# of one name would pass for one another without a word. libleeway.so holds libleeway-core, which the
# console links as well, so core's names count once.
taken=$(for lib in .libs/libleeway.so .libs/libleeway-widgets.a .libs/libleeway-tui.a \
    .libs/libleeway-cuda-host.a; do
    [ -e "$lib" ] || continue
    case $lib in *.so) how=-AD ;; *) how=-Ag ;; esac
    nm $how --defined-only "$lib" 2>/dev/null
done | awk '$NF ~ /^lw_/ {
        sub(/:[0-9a-f]*$/, "", $1)
        if ($NF in first) print $NF " (" first[$NF] ", " $1 ")"
        else first[$NF] = $1
    }')
[ -z "$taken" ] || fail "names that are defined twice: $taken"

# The console is small: no matrix library, no accelerator, and none of the engine that needs them.
if [ -x leeway ]; then
    linked=$(ldd leeway) || fail "ldd leeway: $linked"
    never='blas|cuda|cairo|libleeway'
    # The linker drops what is not used, but not beside a sanitizer's library.
    [ -n "${SANITIZERS:-}" ] || never="$never|gomp"
    printf '%s\n' "$linked" | grep -E "$never" &&
        fail "leeway links what only leeway-engine may"
fi
if [ -e .libs/libleeway.so ]; then
    ldd .libs/libleeway.so | grep -E 'curses|tinfo|cairo' && fail "libleeway knows no terminal"
fi
exit "$failed"
