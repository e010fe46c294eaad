#!/bin/sh
# SPDX-License-Identifier: MIT
#
# packed.sh SOURCES COPY: is every file that git knows of in the distribution made from SOURCES?
set -u

[ -e "$1/.git" ] && command -v git >/dev/null || exit 0
missing=$(cd "$1" && git ls-files 2>/dev/null | grep -v '\.gitignore$' | while read -r file; do
    [ -e "$file" ] && [ ! -e "$OLDPWD/$2/$file" ] && printf '%s\n' "$file"
done)
[ -z "$missing" ] && exit 0
printf '%s\n' "not in the distribution (name them in EXTRA_DIST or _SOURCES):" "$missing"
exit 1
