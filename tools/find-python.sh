#!/bin/sh
# Print the newest usable Python (3.11 or newer, with venv and pip), or the one named by the first argument.
# Where there is none, say so in one sentence.

is_new_enough='import sys; sys.exit(sys.implementation.name != "cpython" or sys.version_info < (3, 11))'
has_venv='import ensurepip, venv'

asked=${1:-}
for python in ${asked:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    "$python" -c "$is_new_enough" 2>/dev/null || continue
    if "$python" -c "$has_venv" 2>/dev/null; then
        command -v "$python"
        exit 0
    fi
    lacking=${lacking:-$python}
done

if [ -n "${lacking:-}" ]; then
    echo "AutoLynx: $lacking has no venv or no ensurepip: install them (on Debian and Ubuntu: apt install python3-venv)." >&2
elif [ -n "$asked" ]; then
    echo "AutoLynx: PYTHON=$asked is not CPython 3.11 or newer: name one that is, or leave PYTHON out." >&2
else
    echo "AutoLynx needs CPython 3.11 or newer: install it, or name it, as in: make demo PYTHON=/path/to/python3." >&2
fi
exit 1
