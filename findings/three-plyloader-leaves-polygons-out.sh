#!/usr/bin/env bash
# three 0.187.0: PLYLoader leaves out every face of a PLY that has more than four corners, without a
# warning. The PLY format's faces are lists of any length (G. Turk, "The PLY Polygon File Format"), and
# Blender 3.4 writes its own cylinder so. Triangles and quads of the same file are there, so that a model
# only has holes: this cylinder loses both of its lids. OBJLoader of the same release fills such faces,
# and so does trimesh 5.2.0 with this PLY.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check trimesh==5.2.0
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund three@0.187.0
cat > read.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { REVISION } from "three";
import { OBJLoader } from "three/addons/loaders/OBJLoader.js";
import { PLYLoader } from "three/addons/loaders/PLYLoader.js";

const sides = 6; // of a cylinder: six quads and two hexagons, which are 12 + 8 triangles
const ring = [...Array(sides).keys()];
const corner = (z) => (k) => [Math.cos((2 * Math.PI * k) / sides), Math.sin((2 * Math.PI * k) / sides), z];
const corners = [...ring.map(corner(0)), ...ring.map(corner(1))];
const quads = ring.map((k) => [k, (k + 1) % sides, sides + ((k + 1) % sides), sides + k]);
const faces = [...quads, ring.toReversed(), ring.map((k) => sides + k)];
const ply = [
  "ply", "format ascii 1.0",
  `element vertex ${corners.length}`, ...["x", "y", "z"].map((name) => `property float ${name}`),
  `element face ${faces.length}`, "property list uchar int vertex_indices", "end_header",
  ...corners.map((place) => place.join(" ")),
  ...faces.map((face) => [face.length, ...face].join(" ")),
];
const obj = [
  ...corners.map((place) => `v ${place.join(" ")}`),
  ...faces.map((face) => `f ${face.map((k) => k + 1).join(" ")}`),
];
writeFileSync("cylinder.ply", `${ply.join("\n")}\n`);
const said = [];
for (const level of ["warn", "error"]) console[level] = (...words) => said.push(words.join(" "));
const fromPly = new PLYLoader().parse(`${ply.join("\n")}\n`).index.count / 3;
const fromObj = new OBJLoader().parse(`${obj.join("\n")}\n`).children[0].geometry.attributes.position.count / 3;
console.log(`three r${REVISION}: ${fromPly} triangles of the PLY, ${fromObj} of the OBJ; said: ${said.length}`);
if (fromObj !== 20) throw new Error("the OBJ is read otherwise");
if (fromPly !== 12 || said.length) throw new Error("polygons are read, or told of, now");
JS
NODE_NO_WARNINGS=1 node read.mjs
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import trimesh

mesh = trimesh.load("cylinder.ply")
print("trimesh", version("trimesh"), len(mesh.faces), "triangles, closed:", mesh.is_watertight)
assert len(mesh.faces) == 20 and mesh.is_watertight
PY
