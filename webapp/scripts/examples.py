"""Makes the models of the first page: ``python webapp/scripts/examples.py``.

Each photo of `examples/` goes through a whole job on this machine, by the lite engine; of the mesh
is kept what a small picture shows (``examples/models/NAME.glb``), and of the built page what stands
there until it has come (``NAME.webp``). Needs Chromium and the page's node_modules.
"""

import argparse
import io
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

from tests.browser.alone import URL, serve  # noqa: E402
from tests.browser.driver import ARGUMENTS, CHROMIUM  # noqa: E402

MODELS = ROOT / "examples" / "models"
CLICKS = {
    "coffee": "226,232 394,232 330,330",
    "chelsea": "225,110 150,60 320,140 262,240 200,230 330,190 350,40",
    "rocket": "322,250 322,160 322,370",
}
"""Where somebody who wants the object clicks, in pixels of the photo."""
OPTIONS = ("mesh.quality=fine", "mesh.faces=5000", "mesh.texture=512")
PATIENCE_MS = 180_000

_TYPES = {"f4": 5126, "u2": 5123, "i1": 5120}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


def make(name: str, folder: Path) -> Path:
    """Send a photo through a whole job; gives the mesh as GLB."""
    command = [sys.executable, "-m", "gen3d_local", "run", "--oneshot", "--port", "0"]
    command += ["--folder", str(folder / "state"), "--image", f"examples/{name}.jpg"]
    command += ["--click", CLICKS[name], "--out", str(folder)]
    command += [f"--option={option}" for option in OPTIONS]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder / "mesh.glb"


def small(glb: bytes) -> bytes:
    """A mesh for a small picture.

    Without tangents and normal map; positions as 16-bit integers of a box, normals as bytes, places
    in the texture as 16-bit integers (KHR_mesh_quantization), the texture as WebP
    (EXT_texture_webp).

    Parameters
    ----------
    glb : bytes
        A mesh step's own: one mesh of one part, textured.
    """
    length = struct.unpack_from("<I", glb, 12)[0]
    source = json.loads(glb[20 : 20 + length])
    data = glb[28 + length :]

    def view(index: int) -> bytes:
        found = source["bufferViews"][index]
        start = found.get("byteOffset", 0)
        return data[start : start + found["byteLength"]]

    def array(index: int) -> NDArray[np.generic]:
        found = source["accessors"][index]
        kind = next(name for name, code in _TYPES.items() if code == found["componentType"])
        rows = np.frombuffer(view(found["bufferView"]), f"<{kind}")
        return rows.reshape(found["count"], _WIDTHS[found["type"]])

    part = source["meshes"][0]["primitives"][0]
    attributes = part["attributes"]
    positions = array(attributes["POSITION"]).astype(np.float64)
    low = positions.min(0)
    side = float((positions.max(0) - low).max())
    material = source["materials"][part["material"]]["pbrMetallicRoughness"]
    image = source["textures"][material["baseColorTexture"]["index"]]["source"]
    texture = io.BytesIO()
    Image.open(io.BytesIO(view(source["images"][image]["bufferView"]))).save(
        texture, "WEBP", quality=82, method=6
    )

    chunks: list[bytes] = []
    views: list[dict[str, int]] = []

    def put(content: bytes, **fields: int) -> int:
        offset = sum(map(len, chunks))
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": len(content)} | fields)
        chunks.append(content + b"\0" * (-len(content) % 4))
        return len(views) - 1

    def rows(values: NDArray[np.generic], stride: int) -> bytes:
        padded = np.zeros((len(values), stride), np.uint8)
        plain = np.ascontiguousarray(values).view(np.uint8)
        padded[:, : plain.shape[1]] = plain
        return padded.tobytes()

    accessors: list[dict[str, object]] = []

    def accessor(values: NDArray[np.generic], shape: str, stride: int, **fields: object) -> int:
        target = {"target": 34962, "byteStride": stride}
        code = _TYPES[values.dtype.str[1:]]
        content = {"bufferView": put(rows(values, stride), **target), "componentType": code}
        accessors.append(content | {"count": len(values), "type": shape} | fields)
        return len(accessors) - 1

    places = np.round((positions - low) / side * 65535).astype("<u2")
    normals = np.round(array(attributes["NORMAL"]).astype(np.float64) * 127).astype("<i1")
    corners = np.clip(array(attributes["TEXCOORD_0"]).astype(np.float64), 0, 1)
    bounds = {"min": places.min(0).tolist(), "max": places.max(0).tolist(), "normalized": True}
    made = {
        "POSITION": accessor(places, "VEC3", 8, **bounds),
        "NORMAL": accessor(normals, "VEC3", 4, normalized=True),
        "TEXCOORD_0": accessor(np.round(corners * 65535).astype("<u2"), "VEC2", 4, normalized=True),
    }
    indices = array(part["indices"]).astype("<u2")
    accessors.append(
        {"bufferView": put(indices.tobytes(), target=34963), "componentType": _TYPES["u2"]}
        | {"count": len(indices), "type": "SCALAR"}
    )
    picture = put(texture.getvalue())
    extensions = ["KHR_mesh_quantization", "EXT_texture_webp"]
    base = {"baseColorTexture": {"index": 0}, "metallicFactor": 0, "roughnessFactor": 0.9}
    primitive = {"attributes": made, "indices": len(accessors) - 1, "material": 0}
    document = {
        "asset": {"version": "2.0", "generator": "Gen3D"},
        "extensionsUsed": extensions,
        "extensionsRequired": extensions,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": [side] * 3, "translation": low.tolist()}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": base}],
        "textures": [{"extensions": {"EXT_texture_webp": {"source": 0}}}],
        "images": [{"bufferView": picture, "mimeType": "image/webp"}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": sum(map(len, chunks))}],
    }
    written = json.dumps(document, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 4)
    body = b"".join(chunks)
    header = struct.pack("<4sII", b"glTF", 2, 28 + len(written) + len(body))
    return b"".join(
        (
            header,
            struct.pack("<I4s", len(written), b"JSON"),
            written,
            struct.pack("<I4s", len(body), b"BIN\0"),
            body,
        )
    )


def pictures() -> None:
    """Take each model's picture as the page first shows it, with nothing behind it."""
    subprocess.run(["npm", "run", "--silent", "build"], cwd=ROOT / "webapp", check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
        page.context.route("**/*", serve(ROOT / "webapp" / "dist"))
        page.set_default_timeout(PATIENCE_MS)
        page.goto(URL)
        page.locator(".examples").evaluate("place => place.scrollIntoView()")
        page.wait_for_selector(".example")
        page.add_style_tag(content="* { background: none !important } .example img { opacity: 0 }")
        frames = page.locator(".example-frame")
        names = sorted(CLICKS)
        expect(frames).to_have_count(len(names))
        for index, name in enumerate(names):
            expect(frames.nth(index).locator("canvas.there")).to_be_visible(timeout=PATIENCE_MS)
            page.mouse.move(1, 1)
            page.wait_for_timeout(500)
            shown = frames.nth(index).screenshot(omit_background=True)
            Image.open(io.BytesIO(shown)).save(MODELS / f"{name}.webp", quality=80, method=6)
        browser.close()


def main() -> None:
    """Make them all anew, or the pictures alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="the pictures alone")
    if not parser.parse_args().pictures:
        MODELS.mkdir(exist_ok=True)
        for name in CLICKS:
            with tempfile.TemporaryDirectory() as folder:
                glb = small(make(name, Path(folder)).read_bytes())
            (MODELS / f"{name}.glb").write_bytes(glb)
    pictures()
    for path in sorted(MODELS.iterdir()):
        print(path.name, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
