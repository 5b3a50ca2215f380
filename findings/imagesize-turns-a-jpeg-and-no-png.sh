#!/usr/bin/env bash
# imagesize 2.0.1: get() heeds the EXIF orientation by default (exif_rotation=True), and does so in a
# JPEG alone. A PNG whose eXIf chunk says the same keeps the sides as stored, without a word, though
# Chromium shows it turned; Pillow's exif_transpose() turns it. Who lays pixels of such a
# photo over what people see, has width and height exchanged. For a WebP, which browsers do not turn,
# its answer is the browsers'.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check imagesize==2.0.1 pillow==13.0.0
"$folder/venv/bin/python" - <<'PY'
import io
from importlib.metadata import version

import imagesize
from PIL import Image, ImageOps

print("imagesize", version("imagesize"), "Pillow", version("pillow"))
photo, exif = Image.new("RGB", (40, 20)), Image.Exif()
exif[0x0112] = 6  # to be shown turned by a quarter
sizes = {}
for kind in ("JPEG", "PNG", "WEBP"):
    file = io.BytesIO()
    photo.save(file, kind, exif=exif)
    file.seek(0)
    turned = ImageOps.exif_transpose(Image.open(file)).size
    file.seek(0)
    sizes[kind] = imagesize.get(file)
    print(kind, "imagesize", sizes[kind], "Pillow, turned", turned)
    assert turned == (20, 40)
assert sizes["JPEG"] == (20, 40)
assert sizes["PNG"] == (40, 20), "a PNG is turned now"
assert sizes["WEBP"] == (40, 20), "a WebP is turned now"
PY
