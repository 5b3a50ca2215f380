#!/usr/bin/env bash
# numba 0.68.1, CPython 3.11: a program that has imported numba and does little spends a quarter of its
# processor time after its last line. At its end the interpreter collects garbage once more, and numba
# leaves some hundred thousand objects to be looked at, of which nothing is freed that the end of the
# process would not free. gc.freeze() as the last line takes them out of sight. Short commands and
# functions that start cold pay for it each time.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numba==0.68.1 numpy==2.4.6
cat > "$folder/total.py" <<'PY'
import gc
import sys

import numba
import numpy as np


@numba.njit(cache=True)
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found


assert total(np.ones(10)) == 10
if sys.argv[1] == "frozen":
    gc.freeze()
if sys.argv[1] == "count":
    print("numba", numba.__version__, "Python", sys.version.split()[0], len(gc.get_objects()), "objects")
PY
export NUMBA_CACHE_DIR="$folder/kernels"
"$folder/venv/bin/python" "$folder/total.py" count
"$folder/venv/bin/python" - "$folder/total.py" <<'PY'
import resource
import statistics
import subprocess
import sys


def seconds(how):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, sys.argv[1], how], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


runs = [(seconds("as it is"), seconds("frozen")) for _ in range(7)]
plain, frozen = (statistics.median(column) for column in zip(*runs))
print(f"processor seconds {plain:.2f}, with gc.freeze() {frozen:.2f}, ratio {frozen / plain:.2f}")
assert frozen < 0.85 * plain, "the end takes no time any more"
PY
