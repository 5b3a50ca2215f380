#!/usr/bin/env bash
# Pillow 13.0.0: a grey PNG's transparent colour (tRNS) is kept as the file spells it, while the
# pixels are spread to eight bits. At two and four bits the two no longer meet: nothing, or the
# wrong grey, becomes transparent. Browsers, and the same picture at eight bits, make the named
# grey transparent. A mask of two bits whose background is keyed out so comes back as another one.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pillow==13.0.0
"$folder/venv/bin/python" - <<'PY'
import io, struct, zlib
from PIL import Image, __version__

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(bits, greys, key):
    """One row of four pixels, with one grey named as transparent."""
    row = 0
    for grey in greys:
        row = row << bits | grey
    row = row.to_bytes(4 * bits // 8, "big")
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0))
            + chunk(b"tRNS", struct.pack(">H", key)) + chunk(b"IDAT", zlib.compress(b"\0" + row))
            + chunk(b"IEND", b""))

def alphas(bits, greys, key):
    picture = Image.open(io.BytesIO(png(bits, greys, key)))
    return list(picture.convert("RGBA").getchannel("A").tobytes())

print("Pillow", __version__)
seen = {
    8: alphas(8, [0, 85, 170, 255], 85),
    4: alphas(4, [0, 5, 10, 15], 5),
    2: alphas(2, [0, 1, 2, 3], 1),
}
for bits, alpha in seen.items():
    print(f"{bits} bits, second grey of four is transparent: alpha {alpha}")
expected = [255, 0, 255, 255]
assert seen[8] == expected, "the eight-bit picture is no longer read rightly"
assert seen[4] != expected and seen[2] != expected, "low depths are read rightly now"
PY
