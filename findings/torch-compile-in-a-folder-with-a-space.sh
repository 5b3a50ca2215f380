#!/usr/bin/env bash
# torch 2.13.0 (CPU, Linux): torch.compile fails where torch is installed below a folder whose name
# has a space. torch/_inductor/cpp_builder.py quotes the folders of headers (`-I`), but not that of
# its own libraries (`-L`), so the linker takes the rest of the path for a file and finds neither it
# nor libtorch. Eager code runs. Quoting torch.utils.cpp_extension.TORCH_LIB_PATH helps.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
mkdir "$folder/with a space"; cd "$folder/with a space"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check torch==2.13.0
cat > try.py <<'PY'
import shlex, sys
import torch
from torch.utils import cpp_extension

if "quoted" in sys.argv:
    cpp_extension.TORCH_LIB_PATH = shlex.quote(cpp_extension.TORCH_LIB_PATH)
print(float(torch.compile(lambda x: (x.sin() + 1).sum())(torch.zeros(64, 64))))
PY
export TORCHINDUCTOR_CACHE_DIR="$folder/cache" PYTHONWARNINGS=ignore  # numpy is missing
venv/bin/python -c 'import torch; print("torch", torch.__version__, "in", torch.__path__[0])'
if venv/bin/python try.py > plain.txt 2>&1; then echo "it compiles now"; exit 1; fi
echo "as it is:"; grep -E "cannot find" plain.txt
rm -rf "$TORCHINDUCTOR_CACHE_DIR"
quoted=$(venv/bin/python try.py quoted)
echo "with the path quoted: $quoted"
