#!/usr/bin/env bash
# lib3mf 2.5.0: its writer sets the whole process's LC_ALL to C and leaves it there, raising
# nothing. It writes numbers by the C library, which would put commas into them elsewhere. From
# then on this process's open() takes text for ASCII, and a name with an umlaut that was written a
# moment before cannot be read any more. A model that is made and not written changes nothing.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check lib3mf==2.5.0
cd "$folder"
LC_ALL=C.UTF-8 PYTHONUTF8=0 "$folder/venv/bin/python" - <<'PY'
import locale
from pathlib import Path

import lib3mf

locale.setlocale(locale.LC_ALL, "")
library = lib3mf.get_wrapper()
print("lib3mf", ".".join(map(str, library.GetLibraryVersion())))
corners = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
faces = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
model = library.CreateModel()
mesh = model.AddMeshObject()
mesh.SetGeometry(
    [lib3mf.Position((lib3mf.ctypes.c_float * 3)(*corner)) for corner in corners],
    [lib3mf.Triangle((lib3mf.ctypes.c_uint32 * 3)(*face)) for face in faces],
)
model.AddBuildItem(mesh, library.GetIdentityTransform())
Path("name.txt").write_text("Möbel")
before = locale.setlocale(locale.LC_ALL)
print("before writing", before, Path("name.txt").read_text())
model.QueryWriter("3mf").WriteToFile("tetrahedron.3mf")
after = locale.setlocale(locale.LC_ALL)
try:
    read = Path("name.txt").read_text()
except UnicodeDecodeError as error:
    read = f"{type(error).__name__}: {error.encoding}"
print("after writing", after, read)
assert before != "C"
assert after == "C", "the locale is kept now"
assert read.startswith("UnicodeDecodeError"), "text is read as before now"
PY
