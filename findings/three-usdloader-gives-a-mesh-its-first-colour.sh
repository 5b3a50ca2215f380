#!/usr/bin/env bash
# three 0.187.0: USDLoader gives a mesh with a colour for each corner, or each face, the first of them
# everywhere, without a warning: one flat colour. UsdGeom's `primvars:displayColor` says by its
# interpolation whose the colours are, which usd-core 26.11 answers as it was written. The loader passes
# over two more things that a mesh says of itself: "leftHanded" faces, which it shows inside out, and
# "invisible" meshes, which it shows. It is so in USDA and in USDC. Scans and generated meshes without a
# picture have their colours so, and what stands hidden in a file comes to light.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check usd-core==26.11
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund three@0.187.0
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { FrontSide, Vector3 } from "three";
import { USDLoader } from "three/addons/loaders/USDLoader.js";

const [path] = process.argv.slice(2);
const file = readFileSync(path);
const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const root = new USDLoader().parse(path.endsWith(".usda") ? file.toString() : data);
root.traverseVisible((each) => {
  if (!each.isMesh) return;
  const { index, attributes: { position, color } } = each.geometry;
  const [a, b, c] = [0, 1, 2].map((k) => new Vector3().fromBufferAttribute(position, index ? index.getX(k) : k));
  const up = b.sub(a).cross(c.sub(a)).z > 0;
  console.log(JSON.stringify({
    corners: color ? color.count : 0, color: each.material.color.toArray(),
    front: up === (each.material.side === FrontSide) ? "+z" : "-z",
  }));
});
JS
cat > check.py <<'PY'
import json
import subprocess
from importlib.metadata import version

from pxr import Usd, UsdGeom, Vt

print("usd-core", version("usd-core"))
red, green, blue, white = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


def square(path):
    stage = Usd.Stage.CreateNew(path)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1)
    mesh = UsdGeom.Mesh.Define(stage, "/Square")
    stage.SetDefaultPrim(mesh.GetPrim())
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    return stage, mesh


def three(path):
    answer = subprocess.run(["node", "--no-warnings", "read.mjs", path], check=True, capture_output=True, text=True)
    assert not answer.stderr, answer.stderr
    return json.loads(answer.stdout) if answer.stdout else None


for ending in ("usda", "usdc"):
    stage, mesh = square(f"colours.{ending}")
    mesh.CreateDisplayColorPrimvar(UsdGeom.Tokens.vertex).Set(Vt.Vec3fArray([red, green, blue, white]))
    stage.Save()
    stage = Usd.Stage.Open(f"colours.{ending}")
    meant = UsdGeom.Mesh(stage.GetPrimAtPath("/Square")).GetDisplayColorPrimvar()
    found = three(f"colours.{ending}")
    print(ending, "colours: usd-core", meant.GetInterpolation(), list(meant.ComputeFlattened()), "- three", found)
    assert (meant.GetInterpolation(), len(meant.ComputeFlattened())) == ("vertex", 4)
    assert found["corners"] == 0, "colours of corners are read now"
    assert found["color"] == list(red), "the colour is another one now"

    stage, mesh = square(f"left.{ending}")
    mesh.CreateOrientationAttr(UsdGeom.Tokens.leftHanded)
    stage.Save()
    found = three(f"left.{ending}")
    print(ending, "left-handed, its front is -z: three", found["front"])
    assert found["front"] == "+z", "the faces are turned now"

    stage, mesh = square(f"hidden.{ending}")
    mesh.MakeInvisible()
    stage.Save()
    stage = Usd.Stage.Open(f"hidden.{ending}")
    meant = UsdGeom.Imageable(stage.GetPrimAtPath("/Square")).ComputeVisibility()
    found = three(f"hidden.{ending}")
    print(ending, "hidden: usd-core", meant, "- three", "shown" if found else "hidden")
    assert meant == "invisible"
    assert found, "it is hidden now"
PY
"$folder/venv/bin/python" check.py
