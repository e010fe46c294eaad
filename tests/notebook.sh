#!/bin/sh
# SPDX-License-Identifier: MIT
#
# leeway below real Jupyter kernels: see notebook.py.
set -u

[ -x ./leeway-engine ] || {
    echo "SKIP: leeway-engine was not built"
    exit 77
}
[ -x /usr/bin/jupyter-notebook ] && [ -x /usr/bin/jupyter-nbconvert ] &&
    /usr/bin/python3 -c 'import ipykernel, jupyter_client' 2>/dev/null || {
    echo "SKIP: no Jupyter here (jupyter-notebook, jupyter-nbconvert, python3-ipykernel)"
    exit 77
}
exec /usr/bin/python3 "$srcdir/tests/notebook.py" "$(pwd)"
