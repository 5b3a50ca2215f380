#!/usr/bin/env bash
# jsonata-python 0.7.1: `in` and $distinct take true and 1, and false and 0, for the same. They compare as
# Python does, though `=` of the same package heeds the type, and JSONata's documentation has $distinct
# compare "as if by using the equality operator". JSONata's own implementation (npm's jsonata 2.2.2), of
# which this is a port by way of Java, says that 1 is not in [true], and keeps both in $distinct. Where
# AWS state machines are tried by this package, a condition that tells a flag from a number goes the
# other way, and values are lost. No error.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jsonata-python==0.7.1
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund jsonata@2.2.2
cat > read.mjs <<'JS'
import jsonata from "jsonata";
const found = [];
for (const expression of process.argv.slice(2)) found.push(await jsonata(expression).evaluate({}));
console.log(JSON.stringify(found));
JS
"$folder/venv/bin/python" - <<'PY'
import json
import subprocess
from importlib.metadata import version

import jsonata

expressions = ["1 = true", "1 in [true]", "false in [0, 2]", "$distinct([1, true, 0, false])"]
answer = subprocess.run(["node", "read.mjs", *expressions], check=True, capture_output=True, text=True)
theirs = json.loads(answer.stdout)
ours = [jsonata.Jsonata(each).evaluate({}) for each in expressions]
for expression, python, reference in zip(expressions, ours, theirs, strict=True):
    print(f"{expression}: jsonata-python {version('jsonata-python')} {json.dumps(python)}, jsonata {json.dumps(reference)}")
assert json.dumps(theirs) == "[false, false, false, [1, true, 0, false]]"
assert json.dumps(ours) == "[false, true, true, [1, 0]]", "types are heeded now"
PY
