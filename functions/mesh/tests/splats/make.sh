#!/usr/bin/env bash
# Makes the files beside it anew, each by a tool of its format. Run by hand: it asks npm and PyPI.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm i --silent @playcanvas/splat-transform@3.7.0 @mkkellogg/gaussian-splats-3d@0.4.7 three@0.187.0 spz-js@1.2.5
cp "$here/make.mjs" .
python "$here/source.py" source.ply
for name in splat.compressed.ply splat.sog splat.glb; do
  npx splat-transform -q -w --gpu cpu source.ply "$here/$name"
done
for version in 3 4; do
  npx splat-transform -q -w --spz-version $version source.ply "$here/v$version.spz"
done
node make.mjs source.ply "$here"
python -m venv ply2splat
ply2splat/bin/pip install -q ply2splat==0.6.0
ply2splat/bin/python - source.ply "$here/splat.splat" << 'PYTHON'
import sys

import ply2splat

print(ply2splat.convert(sys.argv[1], sys.argv[2]))
PYTHON
