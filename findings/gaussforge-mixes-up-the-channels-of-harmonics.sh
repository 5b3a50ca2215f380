#!/usr/bin/env bash
# GaussForge 0.6.0 puts spherical harmonics into other places than the formats have them, without a
# word. A splat's f_rest stand channel by channel: red's, green's, blue's. In a compressed PLY, which
# has the same order (splat-transform 3.7.0, by the format's authors, writes and reads it so), it
# writes them coefficient by coefficient, and reads back something else than it was given. A .ksplat
# of the second degree has the first degree of all channels, then the second of all, as its own reader
# shows; it takes that for the PLY's order. Mean colours stay, so that a look from one side says little;
# they shift wrongly with the direction of view. SPZ comes out right.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check gaussforge==0.6.0
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund --legacy-peer-deps @mkkellogg/gaussian-splats-3d@0.4.7 three@0.187.0 @playcanvas/splat-transform@3.7.0
cat > write.mjs <<'JS'
import { readFileSync, writeFileSync } from "node:fs";
import { PlyParser, SplatBufferGenerator } from "@mkkellogg/gaussian-splats-3d";

const file = readFileSync("splat.ply");
const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const splats = PlyParser.parseToUncompressedSplatArray(data, 2);
const made = SplatBufferGenerator.getStandardGenerator(1, 0).generateFromUncompressedSplatArray(splats);
writeFileSync("splat.ksplat", Buffer.from(made.bufferData));
const own = new Float32Array(24 * made.getSplatCount()); // by coefficient: red, green, blue
made.fillSphericalHarmonicsArray(own, 2, undefined, 0, made.getSplatCount() - 1, 0);
for (let k = 0; k < 24; k++)
  if (Math.abs(own[3 * (k % 8) + Math.floor(k / 8)] - (k + 1) / 100) > 1e-6) throw new Error("its own reader differs");
JS
cat > check.py <<'PY'
import struct
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import gaussforge

names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", *(f"f_rest_{k}" for k in range(24))]
names += ["opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
given = [k + 1 for k in range(24)]  # hundredths
row = [0, 0, 0, 0, 0, 0, *(k / 100 for k in given), 3, -4, -4, -4, 1, 0, 0, 0]
header = "ply\nformat binary_little_endian 1.0\nelement vertex 1\n"
header += "".join(f"property float {name}\n" for name in names) + "end_header\n"
splat = header.encode() + struct.pack(f"<{len(row)}f", *row)
Path("splat.ply").write_bytes(splat)


def harmonics(ply):
    """The 24 numbers of a splat's PLY, in hundredths."""
    head, _, body = ply.partition(b"end_header\n")
    told = [line.split()[2] for line in head.decode().splitlines() if line.startswith("property float")]
    return [round(100 * struct.unpack_from("<f", body, 4 * told.index(f"f_rest_{k}"))[0], 1) for k in range(24)]


def transformed(source):
    subprocess.run(["node_modules/.bin/splat-transform", "-w", source, "out.ply"], check=True, capture_output=True)
    return harmonics(Path("out.ply").read_bytes())


def near(found, steps):
    return max(abs(a - b) for a, b in zip(found, given, strict=True)) <= steps


convert = gaussforge.GaussForge().convert
print("gaussforge", version("gaussforge"), file=sys.stderr)
subprocess.run(["node", "--no-warnings", "write.mjs"], check=True)
packed = convert(splat, "ply", "compressed.ply")["data"]
Path("by-gaussforge.compressed.ply").write_bytes(packed)
subprocess.run(["node_modules/.bin/splat-transform", "-w", "splat.ply", "by-other.compressed.ply"],
               check=True, capture_output=True)
other = Path("by-other.compressed.ply").read_bytes()
spz = convert(splat, "ply", "spz")["data"]
found = {
    "SPZ, both by GaussForge": harmonics(convert(spz, "spz", "ply")["data"]),
    "compressed PLY by splat-transform, read by GaussForge": harmonics(convert(other, "compressed.ply", "ply")["data"]),
    "compressed PLY, both by GaussForge": harmonics(convert(packed, "compressed.ply", "ply")["data"]),
    "compressed PLY by GaussForge, read by splat-transform": transformed("by-gaussforge.compressed.ply"),
    ".ksplat by its own writer, read by splat-transform": transformed("splat.ksplat"),
    ".ksplat by its own writer, read by GaussForge": harmonics(convert(Path("splat.ksplat").read_bytes(), "ksplat", "ply")["data"]),
}
for what, numbers in found.items():
    right = near(numbers, 7)  # SPZ keeps the second degree in steps of an eighth
    print(f"{what}: {'right' if right else 'WRONG'}", numbers, file=sys.stderr)
    expected = what not in ("compressed PLY, both by GaussForge",
                            "compressed PLY by GaussForge, read by splat-transform",
                            ".ksplat by its own writer, read by GaussForge")
    assert right == expected, "it is otherwise now"
PY
"$folder/venv/bin/python" check.py > /dev/null # GaussForge prints there
