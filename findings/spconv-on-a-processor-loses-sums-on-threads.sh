#!/usr/bin/env bash
# spconv 2.3.8 (the build for processors, Linux): a submanifold convolution gives other numbers each
# time where torch has more than one thread. Threads add into the same output rows, and sums get lost.
# With torch.set_num_threads(1) it agrees with itself and with torch's dense convolution.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check torch==2.13.0 spconv==2.3.8 numpy
cat > try.py <<'PY'
import sys
import torch
import spconv.pytorch as spconv

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
along = torch.arange(12)
places = torch.cartesian_prod(along, along, along)
shell = places[((places - 5.5).norm(dim=1) - 4).abs() < 0.7]
coords = torch.nn.functional.pad(shell, (1, 0)).int().contiguous()
layer = spconv.SubMConv3d(32, 32, 3, bias=False)
x = torch.randn(len(coords), 32)
with torch.no_grad():
    outs = [layer(spconv.SparseConvTensor(x, coords, [12, 12, 12], 1)).features for _ in range(300)]
print(max(float((out - outs[0]).abs().max()) for out in outs))
PY
one=$(venv/bin/python -W ignore try.py 1 2>/dev/null | tail -1)
four=$(venv/bin/python -W ignore try.py 4 2>/dev/null | tail -1)
echo "300 runs of one convolution differ by at most: $one with one thread, $four with four"
[ "$one" = 0.0 ] || { echo "one thread differs, too"; exit 1; }
[ "$four" != 0.0 ] || { echo "four threads agree now"; exit 1; }
