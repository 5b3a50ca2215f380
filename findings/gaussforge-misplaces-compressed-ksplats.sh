#!/usr/bin/env bash
# GaussForge 0.6.0 reads a compressed .ksplat (level 1 or 2) wrongly, without a word. Places are stored
# around the centres of buckets, each of one block of 5 units: of a splat that spans several blocks it
# adds centres of other buckets, so that gaussians lie blocks away. Splats smaller than a block have
# one bucket, and come out right, as tests' do. With harmonics of the first degree it takes a row for 44
# and 36 bytes, where the format's own writer (GaussianSplats3D 0.4.7) has 42 and 33, and refuses the
# file as short. Level 0 is right, and so is the format's own reader.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check gaussforge==0.6.0
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund @mkkellogg/gaussian-splats-3d@0.4.7 three@0.187.0
cat > write.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { PlyParser, SplatBufferGenerator } from "@mkkellogg/gaussian-splats-3d";
import { Vector3 } from "three";

const names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2"];
for (let k = 0; k < 24; k++) names.push(`f_rest_${k}`);
names.push("opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3");
const count = 100;
const header = ["ply", "format binary_little_endian 1.0", `element vertex ${count}`];
header.push(...names.map((name) => `property float ${name}`), "end_header\n");
const rows = new Float32Array(count * names.length);
for (let k = 0; k < count; k++) {
  const row = rows.subarray(k * names.length);
  row.set([k, (7 * k) % 100, (13 * k) % 100]); // over many blocks
  row[names.indexOf("opacity")] = 3;
  row.fill(-4, names.indexOf("scale_0"), names.indexOf("rot_0"));
  row[names.indexOf("rot_0")] = 1;
}
const file = Buffer.concat([Buffer.from(header.join("\n")), Buffer.from(rows.buffer)]);
const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
for (const degree of [0, 1, 2])
  for (const level of [0, 1, 2]) {
    const splats = PlyParser.parseToUncompressedSplatArray(data, degree);
    const made = SplatBufferGenerator.getStandardGenerator(1, level).generateFromUncompressedSplatArray(splats);
    writeFileSync(`${degree}.${level}.ksplat`, Buffer.from(made.bufferData));
    const seen = Array.from({ length: count }, (_, k) => {
      const center = new Vector3();
      made.getSplatCenter(k, center);
      return center.x;
    });
    const off = Math.max(...seen.sort((a, b) => a - b).map((x, k) => Math.abs(x - k)));
    if (off > 0.01) throw new Error(`its own reader is ${off} off`);
  }
JS
NODE_NO_WARNINGS=1 node write.mjs
"$folder/venv/bin/python" - <<'PY'
import struct
from importlib.metadata import version
from pathlib import Path

import gaussforge


def furthest(data):
    """How far the gaussian whose x is k is read from there, at most; or an error."""
    answer = gaussforge.GaussForge().convert(data, "ksplat", "ply")
    if not answer.get("data"):
        return answer.get("error")
    head, _, body = answer["data"].partition(b"end_header\n")
    width = 4 * head.count(b"property float")
    places = sorted(struct.unpack_from("<f", body, width * k)[0] for k in range(100))
    return round(max(abs(x - k) for k, x in enumerate(places)), 2)


print("gaussforge", version("gaussforge"))
for degree in (0, 1, 2):
    for level in (0, 1, 2):
        found = furthest(Path(f"{degree}.{level}.ksplat").read_bytes())
        print(f"degree {degree}, level {level}: off by", found)
        if level == 0:
            assert found < 0.01
        elif degree == 1:
            assert "insufficient data" in str(found), "it is read now"
        else:
            assert found > 1, "it is read rightly now"
PY
