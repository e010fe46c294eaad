#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What leeway exports, read by those for whom it is: interop/check.py with the Python of
# LEEWAY_PYTHON, or any. Skipped where none of their libraries is installed.
set -u

python=${LEEWAY_PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "SKIP: no python3"
    exit 77
}
"$python" -c 'import os; os.waitstatus_to_exitcode' 2>/dev/null || {
    echo "SKIP: $python is older than 3.9"
    exit 77
}
"$python" -B "$srcdir/tests/interop/check.py" --build .
