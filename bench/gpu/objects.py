"""``python -m bench.gpu.objects``: SAM 3D Objects at full size, with random weights.

Needs a GPU, upstream with its requirements (its README is engines/sam/objects/README.md), and in
GEN3D_SAM3D_DINOV2 a checkout of DINOv2. With ``--beside FOLDER``, a checkout of another commit of
this repository, that build runs before ours, in a process of its own, on the same card, weights and
photos. With ``--tiny`` everything runs on a CPU with small networks, to try this very program.

Random weights fill voxels like salt, which makes three times as many tokens as a surface of as many
voxels. So the voxels are spheres', whatever the network says of them.
"""

import argparse
import copy
import gc
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from gen3d.contract import ReconstructRequest
from gen3d.options import EngineOptions, Options, Quality
from gen3d_inference import tasks
from gen3d_inference.engines.sam.objects import ObjectReconstruction
from gen3d_inference.engines.sam.objects import reconstruction as ours
from gen3d_inference.engines.sam.objects.environment import prepare

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "OBJECTS.md"
SEED = 0
SIZES = {"2 MP": (1600, 1200), "12 MP": (4000, 3000), "48 MP": (8000, 6000)}
TINY_SIZES = {"2 MP": (160, 120), "12 MP": (400, 300), "48 MP": (500, 400)}
USUAL = "12 MP"
PLACES = ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7))
"""Of a job's four objects in the photo."""
REPEATS = 3


class Files:
    """What tasks read and write, in the place of S3."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, uri: str, what: str) -> bytes:  # noqa: ARG002 — as `Storage` has it
        """A file, which is another object each time, as from S3."""
        return bytes(bytearray(self.files[uri]))

    def require(self, uri: str, what: str) -> None:
        """It is there."""

    def write(self, uri: str, data: bytes) -> None:
        """Keep nothing."""


class Objects:
    """An engine that reconstructs, and no more."""

    name, revision, side = "sam", "random", 1008

    def __init__(self, reconstruction: ObjectReconstruction) -> None:
        from gen3d_inference.engines.sam.sam_engine import OFFERS

        self.offers = OFFERS
        self.reconstruct = reconstruction.run


def mask_at(size: tuple[int, int], place: tuple[float, float]) -> NDArray[np.bool_]:
    """A disc an eighth of the photo's width across."""
    width, height = size
    y, x = np.ogrid[:height, :width]
    inside: NDArray[np.bool_] = (x - place[0] * width) ** 2 + (y - place[1] * height) ** 2 < (
        width / 8
    ) ** 2
    return inside


def _png(mask: NDArray[np.bool_]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(file, "PNG", compress_level=1)
    return file.getvalue()


def spheres(decoder: torch.nn.Module, around: float) -> None:
    """Have the voxels be a sphere's shell, each time of another size: no two objects are alike.

    Libraries choose kernels anew where there are other numbers of voxels.
    """
    along = torch.arange(64) - 31.5
    radius = (along[:, None, None] ** 2 + along[:, None] ** 2 + along**2).sqrt()
    sizes = cycle(around - 0.03 * step for step in range(40))

    def shell(_network: object, _inputs: object, out: torch.Tensor) -> torch.Tensor:
        return ((radius - next(sizes)).abs() < 0.6)[None, None].to(out) * 2 - 1

    decoder.register_forward_hook(shell)


def measure(folder: Path, offload: str, tiny: bool) -> dict[str, Any]:
    """Load with an offload setting, and reconstruct.

    Of another build, which has no flows, all that is compared; of ours with networks that are
    moved, one object.
    """
    os.environ["GEN3D_OFFLOAD"] = offload
    device = "cpu" if tiny else "cuda"
    found: dict[str, Any] = {"ms": {}}
    with _timed() as seconds:
        reconstruction = ObjectReconstruction(folder, device)
    found["load s"] = seconds[0]
    found["resident GB"] = _gigabytes(torch.cuda.memory_allocated())
    decoder = reconstruction._pipeline.models["ss_decoder"]
    assert decoder is not None
    spheres(decoder, 6 if tiny else 28)
    sizes = TINY_SIZES if tiny else SIZES
    photos = {name: (folder / f"{name}.jpg").read_bytes() for name in sizes}
    whole = {name: Image.open(io.BytesIO(file)).convert("RGB") for name, file in photos.items()}
    usual, mask = whole[USUAL], mask_at(sizes[USUAL], PLACES[0])

    def run(photo: Image.Image, mask: NDArray[np.bool_], quality: Quality) -> int:
        options = EngineOptions(quality=quality, seed=SEED)
        return len(reconstruction.run(photo, mask, options)[0])

    with _timed() as seconds:
        found["gaussians"] = run(usual, mask, "standard")
    found["first s"] = seconds[0]
    _reset_peak()
    own = hasattr(reconstruction, "_flows")
    qualities: tuple[Quality, ...] = ("standard", "fast") if own else ("standard",)
    for quality in qualities:
        spent, parts = [], []
        for _ in range(1 if tiny else REPEATS):
            if hasattr(reconstruction._pipeline, "_seen"):
                reconstruction._pipeline._seen = None  # another photo each time
            with _timed() as seconds:
                run(usual, mask, quality)
            spent.append(seconds[0])
            parts.append(dict(reconstruction.timings))
        found[quality] = statistics.median(spent)
        found["ms"][quality] = {
            name: statistics.median(each[name] for each in parts) for name in parts[0]
        }
    found["peak GB"] = _gigabytes(torch.cuda.max_memory_allocated() if not tiny else 0)
    if offload == "always":
        return found
    found["prepared"] = {}
    for name, size in sizes.items():
        for _ in range(2):
            found["prepared"][name] = _prepare(
                reconstruction._pipeline, whole[name], mask_at(size, PLACES[0])
            )
    with _timed() as seconds:
        run(whole["48 MP"], mask_at(sizes["48 MP"], PLACES[0]), "standard")
    found["48 MP"] = seconds[0]
    found["48 MP peak GB"] = _gigabytes(torch.cuda.max_memory_allocated() if not tiny else 0)
    for quality in qualities:
        found[f"four {quality}"] = _job(reconstruction, photos[USUAL], sizes[USUAL], quality)
    if own:
        found["errors"] = errors(reconstruction, tiny)
    return found


def _prepare(pipeline: Any, photo: Image.Image, mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Seconds, and seconds of processors, from photo and mask to what the networks are given.

    The depth network is in it.
    """
    cpu, start = time.process_time(), time.perf_counter()
    with pipeline.device:
        if hasattr(pipeline, "_seen"):
            pipeline._seen = None  # another photo
        image = pipeline.merge_image_and_mask(ours.rgba(photo, mask), None)
        points = pipeline.compute_pointmap(image)["pointmap"]
        pipeline.preprocess_image(image, pipeline.ss_preprocessor, pointmap=points)
        pipeline.preprocess_image(image, pipeline.slat_preprocessor)
    _wait()
    return round(time.perf_counter() - start, 3), round(time.process_time() - cpu, 3)


def _job(
    reconstruction: ObjectReconstruction, photo: bytes, size: tuple[int, int], quality: Quality
) -> float:
    """Seconds of four objects, from their files to their files."""
    masks = {f"s3://b/{n}.png": _png(mask_at(size, place)) for n, place in enumerate(PLACES)}
    storage = Files({"s3://b/photo.jpg": photo, **masks})
    engine = Objects(reconstruction)
    options = Options(engine=EngineOptions(quality=quality, seed=SEED))
    with _timed() as seconds:
        for mask in masks:
            request = ReconstructRequest(
                image="s3://b/photo.jpg", mask=mask, output="s3://b/out.ply", options=options
            )
            tasks.run(request, engine, storage, tasks.Timings())  # type: ignore[arg-type]
    return seconds[0]


def errors(reconstruction: ObjectReconstruction, tiny: bool) -> dict[str, list[float]]:
    """How far velocities are from upstream's in float32: upstream's own, and ours.

    Of each transformer, at an early time, with the condition and without.
    """
    device = torch.device("cpu" if tiny else "cuda")
    random = torch.Generator(device).manual_seed(SEED)
    voxels = ours._sphere(device).cpu().numpy()[:: 50 if tiny else 1]
    found: dict[str, list[float]] = {}
    tokens = (40, 40) if tiny else (14_112, 21_916)
    for flow, count in zip(reconstruction._flows, tokens, strict=True):
        network = flow.network
        state: Any
        arguments: tuple[Any, ...]
        cond = torch.randn(1, count, network.cond_channels, device=device, generator=random)
        if hasattr(network, "latent_mapping"):
            state = {
                name: torch.randn(
                    1,
                    len(each.pos_emb),
                    each.input_layer.in_features,
                    device=device,
                    generator=random,
                )
                for name, each in network.latent_mapping.items()
            }
            arguments = (cond,)
        else:
            state = torch.randn(
                1, len(voxels), network.in_channels, device=device, generator=random
            )
            arguments = (cond, voxels)
        time_ = torch.tensor([120.0], device=device)
        wide = copy.deepcopy(network).float()
        wide.dtype = torch.float32
        for name, options in (("with", {}), ("without", {"cfg": True})):
            with torch.no_grad():
                right = type(wide).forward(wide, state, time_, *arguments, **dict(options))
                with torch.autocast(device.type, torch.float16, enabled=not tiny):
                    theirs = type(network).forward(
                        network, state, time_, *arguments, **dict(options)
                    )
                    mine = flow(state, time_, *arguments, **dict(options))
            found[f"{type(network).__name__}, {name}"] = [
                _distance(each, right) for each in (theirs, mine)
            ]
        flow.forget()
        del wide
    return found


def _distance(given: Any, right: Any) -> float:
    """Of all parts together, of the norm."""
    if not isinstance(right, dict):
        given, right = {"": given}, {"": right}
    a, b = (torch.cat([each[n].float().flatten() for n in right]) for each in (given, right))
    return float((a - b).norm() / b.norm())


@contextmanager
def _timed() -> Iterator[list[float]]:
    seconds: list[float] = []
    start = time.perf_counter()
    yield seconds
    seconds.append(round(time.perf_counter() - start, 3))


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _gigabytes(count: int) -> float:
    return round(count / 1e9, 2)


def _reset_peak() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _without_gpu() -> None:
    import pytest

    from container.tests.sam.objects.without_gpu import without_gpu

    without_gpu(pytest.MonkeyPatch())


def make(folder: Path, tiny: bool) -> None:
    """Write random weights, and the photos."""
    from bench.gpu.folder import make_photo
    from bench.gpu.objects_configs import FULL, TINY
    from bench.gpu.objects_weights import write

    torch.manual_seed(SEED)
    dinov2 = Path(os.environ["GEN3D_SAM3D_DINOV2"]).resolve()
    write(folder, TINY if tiny else FULL, dinov2, device="cpu" if tiny else "cuda")
    for name, size in (TINY_SIZES if tiny else SIZES).items():
        (folder / f"{name}.jpg").write_bytes(make_photo(*size))


def measured(build: Path, folder: Path, offload: str, tiny: bool) -> dict[str, Any]:
    """What a build's own process measures."""
    sources = [build / "container/src", build / "layers/gen3d/src"]
    path = os.pathsep.join([*map(str, sources), os.environ.get("PYTHONPATH", "")])
    out = folder / "measured.json"
    command = [sys.executable, "-m", "bench.gpu.objects", "--measure", str(folder)]
    command += ["--offload", offload, "--out", str(out), *(["--tiny"] if tiny else [])]
    # Upstream leaves its own choice of attention in the environment, installed or not.
    kept = {name: each for name, each in os.environ.items() if "ATTN_BACKEND" not in name}
    subprocess.run(command, cwd=ROOT, env={**kept, "PYTHONPATH": path}, check=True)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def _ratio(rows: list[dict[str, Any]], of: Callable[[dict[str, Any]], float]) -> list[str]:
    before, now = of(rows[0]), of(rows[-1])
    return [f"{before:.2f}", f"{now:.2f}", f"{now / before:.2f}"]


def _processors(name: str) -> Callable[[dict[str, Any]], float]:
    return lambda row: row["prepared"][name][1]


def report(rows: dict[str, dict[str, Any]]) -> str:
    """The tables of what was measured, by the name of what ran."""
    from bench.gpu.__main__ import machine, table

    parts = [
        machine(("torch", "spconv-cu126", "pillow") if torch.cuda.is_available() else ("torch",))
    ]
    builds = [rows[name] for name in ("before", "now") if name in rows]
    now = rows["now"]
    parts.append(
        f"Voxels of spheres' surfaces, about {now['gaussians'] // 32}, of {now['gaussians']} "
        "gaussians. "
        f"Photos are of {USUAL} where nothing else is said.\n"
    )
    if len(builds) == 2:
        table_rows = [
            [name, *_ratio(builds, of)]
            for name, of in (
                ("one object, standard", lambda row: row["standard"]),
                ("the same of 48 MP", lambda row: row["48 MP"]),
                ("four objects of a photo, file to file", lambda row: row["four standard"]),
            )
        ]
        table_rows += [
            [f"preparing {name}, processors' seconds", *_ratio(builds, _processors(name))]
            for name in now["prepared"]
        ]
        slow = builds[0]["standard"]
        table_rows += [
            [
                "one object, fast",
                f"{slow:.2f} (standard)",
                f"{now['fast']:.2f}",
                f"{now['fast'] / slow:.2f}",
            ],
            [
                "four, fast",
                f"{builds[0]['four standard']:.2f} (standard)",
                f"{now['four fast']:.2f}",
                f"{now['four fast'] / builds[0]['four standard']:.2f}",
            ],
        ]
        parts.append(table(["seconds", "before", "now", "ratio"], table_rows))
    steps = list(dict.fromkeys(step for row in rows.values() for step in row["ms"]["standard"]))
    stages = [
        [f"{name}, {quality}", *(f"{row['ms'][quality].get(step, 0):.0f}" for step in steps)]
        for name, row in rows.items()
        for quality in row["ms"]
    ]
    parts.append(table(["median ms", *steps], stages))
    memory = ["load s", "first s", "standard", "fast", "resident GB", "peak GB", "48 MP peak GB"]
    parts.append(
        table(
            ["", *memory],
            [
                [n, *(f"{row[each]:.1f}" if each in row else "" for each in memory)]
                for n, row in rows.items()
            ],
        )
    )
    head = ["one velocity, error against upstream in float32", "upstream's, as it runs", "ours"]
    parts.append(
        table(head, [[n, *(f"{e:.1e}" for e in each)] for n, each in now["errors"].items()])
    )
    return "\n".join(parts)


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu.objects", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--beside", type=Path, help="a checkout of the build to compare with")
    parser.add_argument("--work", type=Path, help="keep weights and photos here")
    parser.add_argument("--out", type=Path, help="write the tables here")
    parser.add_argument("--measure", type=Path, help="only measure this folder's weights, as JSON")
    parser.add_argument("--offload", choices=["never", "always"], default="never")
    options = parser.parse_args()
    if options.tiny:
        _without_gpu()
    else:
        prepare()
    if options.measure:
        found = measure(options.measure, options.offload, options.tiny)
        options.out.write_text(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as work:
        folder = options.work or Path(work)
        if not (folder / "48 MP.jpg").exists():
            make(folder, options.tiny)
        rows = {}
        if options.beside:
            rows["before"] = measured(options.beside.resolve(), folder, "never", options.tiny)
            print(json.dumps({"before": rows["before"]}), flush=True)
        rows["now"] = measured(ROOT, folder, "never", options.tiny)
        print(json.dumps({"now": rows["now"]}), flush=True)
        rows["now, offloaded"] = measured(ROOT, folder, "always", options.tiny)
        text = report(rows)
    print(text)
    if options.out:
        from bench.gpu.__main__ import TRIED

        _, _, tried = RESULTS.read_text().partition(TRIED) if RESULTS.exists() else ("", "", "")
        options.out.write_text(
            f"# SAM 3D Objects, measured by `make bench-gpu`\n\n{text}\n{TRIED}{tried}"
        )


if __name__ == "__main__":
    main()
