#!/usr/bin/env bash
# safetensors 0.8.0: save() takes a numpy array that is a transposed view, raises nothing, and
# writes its memory in the order in which it lies there, under the view's shape: what is loaded
# has the right shape and the right numbers in the wrong places. numpy's own save() asks nothing
# of the layout. Encoder outputs are often such views (channels moved to the front).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import io
import numpy as np, safetensors
from safetensors.numpy import load, save

channels_last = np.arange(6, dtype=np.float32).reshape(2, 3)
view = channels_last.T
back = load(save({"x": view}))["x"]
print("safetensors", safetensors.__version__, "numpy", np.__version__)
print("given", view.tolist())
print("loaded", back.tolist())
file = io.BytesIO()
np.save(file, view)
file.seek(0)
assert np.array_equal(np.load(file), view)
assert back.shape == view.shape
assert not np.array_equal(back, view), "views are written rightly now"
assert np.array_equal(load(save({"x": np.ascontiguousarray(view)}))["x"], view)
PY
