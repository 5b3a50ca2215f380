"""``python -m bench.gpu.triposplat``: the open engine at full size, with random weights.

Needs a GPU and, in GEN3D_TRIPOSPLAT, upstream's two files at the commit that
`gen3d_inference.engines.open.upstream` names. Upstream runs beside ours, on the same photo in the
same process. Latency and memory are those of real weights; what comes out is not. With ``--tiny``
everything runs on a CPU with small networks, to try this very program.
"""

import argparse
import gc
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2VisionConfig

from bench.gpu.__main__ import TRIED, machine, table
from bench.gpu.folder import make_photo
from gen3d.options import EngineOptions
from gen3d_inference import ply_writer
from gen3d_inference.engines.interface import Gaussians, Mask
from gen3d_inference.engines.open import attention, upstream
from gen3d_inference.engines.open.browser_decoder import write_decoder
from gen3d_inference.engines.open.cutout import Cutout
from gen3d_inference.engines.open.flow import denoise
from gen3d_inference.engines.open.open_engine import OpenEngine
from gen3d_inference.engines.open.reconstruction import (
    DECODER,
    DENOISER,
    EFFORTS,
    GUIDANCE,
    IMAGE_ENCODER,
    LATENT_ENCODER,
    ObjectReconstruction,
)
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.acceleration import COMPILED
from gen3d_inference.weights import MANIFEST, seal

RESULTS = Path(__file__).parent / "OPEN.md"
SEED = 42
SIZE = (4000, 3000)
STANDARD, FAST = EFFORTS["standard"], EFFORTS["fast"]
REPEATS = 3


def make_weights(folder: Path, tiny: bool) -> None:
    """Write an open engine's weights of random values."""
    if tiny:
        from container.tests.open.tiny import write_engine

        write_engine(folder)
        return
    torch.manual_seed(0)
    device = "cuda"
    with torch.device(device):
        model = Sam2Model(Sam2Config(vision_config=_hiera_large()))
    model.cpu().save_pretrained(folder / "sam2")
    write_decoder(folder / "sam2", folder / "decoder.onnx")
    code = upstream.load()
    with torch.device(device):
        networks: dict[str, Any] = {
            IMAGE_ENCODER: code.image_encoder(),
            LATENT_ENCODER: code.latent_encoder(),
            DECODER: code.decoder(*code.decoder_arguments),
        }
    networks[DENOISER] = _of_upstream("LatentSeqMMFlowModel")(**code.flow_arguments)
    for path, network in networks.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: t.cpu() for name, t in network.half().state_dict().items()}
        save_file(tensors, folder / path)
    seal(folder, "open")


def _hiera_large() -> Sam2VisionConfig:
    """Sizes of SAM 2.1's largest image encoder."""
    backbone = Sam2HieraDetConfig(
        hidden_size=144,
        num_attention_heads=2,
        blocks_per_stage=[2, 6, 36, 4],
        embed_dim_per_stage=[144, 288, 576, 1152],
        num_attention_heads_per_stage=[2, 4, 8, 16],
        window_size_per_stage=[8, 4, 16, 8],
        global_attention_blocks=[23, 33, 43],
    )
    return Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=[1152, 576, 288, 144])


def _of_upstream(name: str) -> Any:
    """What else upstream's files hold: its own denoiser, to compare with."""
    code = upstream.load()
    return code.decoder.decode.__globals__.get(name) or code.build_gaussians.__globals__[name]


class Upstream:
    """TripoSplat as its own pipeline runs it, from the same files, without background remover."""

    def __init__(self, folder: Path) -> None:
        places = {
            "load_dinov3": (IMAGE_ENCODER, torch.bfloat16),
            "load_vae_encoder": (LATENT_ENCODER, torch.bfloat16),
            "load_flow_model": (DENOISER, torch.float16),
            "load_decoder": (DECODER, torch.float16),
        }
        code = upstream.load()
        self._code = code.build_gaussians.__globals__
        self.images, self.latents, self.flow, self.decoder = (
            self._code[load](str(folder / path), device="cuda", dtype=dtype)
            for load, (path, dtype) in places.items()
        )
        self.timings: dict[str, float] = {}

    @torch.no_grad()
    def run(self, photo: Image.Image, mask: Mask, count: int, steps: int) -> Tensor:
        """An object, by upstream's own functions; gives the latents."""
        self.timings = {}
        generator = torch.Generator("cuda").manual_seed(SEED)
        cut = photo.convert("RGB")
        cut.putalpha(Image.fromarray(mask.astype(np.uint8) * 255))
        picture = self._timed("cutout", lambda: self._code["preprocess_image"](cut, None))
        condition = self._timed(
            "condition",
            lambda: self._code["encode_image"](picture, self.images, self.latents, generator),
        )
        out = self._timed(
            "latents",
            lambda: self._code["sample_latent"](
                self.flow,
                condition,
                steps=steps,
                guidance_scale=GUIDANCE,
                generator=generator,
            ),
        )
        self._timed("gaussians", lambda: self._gaussians(out["latent"], count))
        latent: Tensor = out["latent"]
        return latent

    def _gaussians(self, latent: Tensor, count: int) -> None:
        octree = type(self.decoder.octree)
        points = octree.sample(
            self.decoder.octree,
            latent,
            num_points=count // self.decoder.gaussians_per_point,
            level=8,
        )
        pred = self.decoder.gs(x=points, cond=latent)
        splat = self._code["_build_gaussians"](self.decoder.gs, points, pred)[0]
        splat._get_ply_data()  # without a turn: to the host, as its writer takes it there

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        torch.cuda.synchronize()
        start = time.perf_counter()
        result = work()
        torch.cuda.synchronize()
        self.timings[name] = round((time.perf_counter() - start) * 1000, 1)
        return result


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Of each phase, and of the whole."""
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return {**found, "whole": statistics.median(sum(run.values()) for run in runs)}


def ours(
    objects: ObjectReconstruction, photo: Image.Image, mask: Mask, options: EngineOptions
) -> tuple[dict[str, float], Gaussians]:
    """An object by the engine."""
    runs, gaussians = [], None
    for _ in range(REPEATS + 1):
        gaussians, _pose = objects.run(photo, mask, options)
        runs.append(dict(objects.timings))
    assert gaussians is not None
    return medians(runs[1:]), gaussians


@torch.inference_mode()
def errors(
    objects: ObjectReconstruction, theirs: "Upstream", photo: Image.Image, mask: Mask
) -> str:
    """How far both are from upstream's denoiser in single precision, and from each other."""
    picture = Cutout.around(mask).picture(photo, mask, objects._canvas)
    generator = torch.Generator("cuda").manual_seed(SEED)
    feature1, feature2 = objects._encode(picture, generator)
    sizes = objects._flow.sizes
    noise = (
        objects._noise((1, sizes.q_token_length, sizes.in_channels), generator),
        objects._noise((1, 1, sizes.cam_channels), generator),
    )
    contexts = objects._flow.contexts(feature1, feature2)
    with_photo = {"feature1": feature1, "feature2": feature2}
    without = {name: torch.zeros_like(value) for name, value in with_photo.items()}
    given = {"latent": noise[0], "camera": noise[1]}
    time_ = torch.tensor([500.0], device="cuda")
    rows = []
    halves = [
        theirs.flow(dict(given), time_, dict(each))["latent"] for each in (with_photo, without)
    ]
    fast = [each[0] for each in objects._flow(*noise, 0.5, contexts)]
    theirs.flow.float()
    exact = [
        theirs.flow(dict(given), time_, dict(each))["latent"] for each in (with_photo, without)
    ]
    theirs.flow.half()
    for name, found in (("upstream, as it runs", halves), ("ours", fast)):
        rows.append([name, *(f"{_off(a, b):.1e}" for a, b in zip(found, exact, strict=True))])
    one_step = table(
        ["one velocity, error against upstream in float32", "with the photo", "without"], rows
    )
    walk = denoise(objects._flow, noise, contexts, STANDARD.steps, GUIDANCE)[0]
    other = _walk(theirs, noise, with_photo)
    fewer = denoise(objects._flow, noise, contexts, FAST.steps, GUIDANCE)[0]
    return (
        f"{one_step}\nAfter {STANDARD.steps} steps from the same noise and condition, ours differs "
        f"from upstream's latents by {_off(walk, other):.1e} of their norm; after {FAST.steps} "
        f"steps by {_off(fewer, other):.1e}.\n"
    )


def _walk(theirs: "Upstream", noise: tuple[Tensor, Tensor], condition: dict[str, Tensor]) -> Tensor:
    sampler = theirs._code["FlowEulerCfgSampler"]()
    given = {"latent": noise[0].clone(), "camera": noise[1].clone()}
    without = {name: torch.zeros_like(value) for name, value in condition.items()}
    found: Tensor = sampler.sample(
        theirs.flow,
        given,
        cond=condition,
        neg_cond=without,
        steps=STANDARD.steps,
        guidance_scale=GUIDANCE,
        shift=3.0,
    )["latent"]
    return found


def _off(found: Tensor, right: Tensor) -> float:
    return float((found.float() - right.float()).norm() / right.float().norm())


def _start(folder: Path) -> list[str]:
    """Seconds from a process's start until an engine is ready, and until a first object."""
    start = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "bench.gpu.triposplat", "--load", str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [f"{float(moment) - start:.1f}" for moment in done.stdout.split()[-3:]]


def load_and_say(folder: Path) -> None:
    """What `_start` starts: print when photos can be encoded, objects made, and one is made."""
    engine = OpenEngine(folder)
    moments = [time.time()]
    photo, mask = _photo(SIZE)
    engine.initialize(photo)
    engine._objects.get()
    moments.append(time.time())
    engine.reconstruct(photo, mask, EngineOptions(seed=SEED))
    print(*moments, time.time())


def _photo(size: tuple[int, int]) -> tuple[Image.Image, Mask]:
    photo = Image.open(io.BytesIO(make_photo(*size))).convert("RGB")
    mask = np.zeros(size[::-1], bool)
    mask[size[1] // 4 : size[1] * 3 // 4, size[0] // 3 : size[0] * 2 // 3] = True
    return photo, mask


def as_without_bfloat16(folder: Path, photo: Image.Image, mask: Mask) -> str:
    """What a card of before Ampere runs: image encoders in float32, the one kernel it has."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    kernels = dict(attention.KERNELS)
    able = gpu.has_bfloat16
    try:
        attention.KERNELS.clear()
        attention.KERNELS["efficient"] = kernels["efficient"]
        gpu.has_bfloat16 = lambda device: device.type == "no"
        objects = ObjectReconstruction(folder, torch.device("cuda", 0))
        objects.run(photo, mask, EngineOptions(seed=SEED))
        objects.run(photo, mask, EngineOptions(seed=SEED))
        return (
            "As a card without bfloat16 runs it, on this one: "
            f"{sum(objects.timings.values()):.0f} ms, at most "
            f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB.\n"
        )
    finally:
        attention.KERNELS.update(kernels)
        gpu.has_bfloat16 = able


def measure(tiny: bool, work: Path) -> str:
    """Run everything; print each table when it is there."""
    cuda = torch.cuda.is_available()
    folder = work / "open-weights"
    if not (folder / MANIFEST).exists():
        make_weights(folder, tiny)
    size = (400, 300) if tiny else SIZE
    photo, mask = _photo(size)
    parts = [machine(("torch", "transformers", "pillow"))]
    print(parts[0], flush=True)

    def say(part: str) -> None:
        parts.append(part)
        print(part, flush=True)

    if cuda:
        shutil.rmtree(folder / COMPILED, ignore_errors=True)
        head = ["cold start, s", "ready for photos", "ready for objects", "first object done"]
        starts = [[name, *_start(folder)] for name in ("nothing compiled yet", "compiled before")]
        say(table(head, starts))
    engine = OpenEngine(folder)
    objects = engine._objects.get()
    spent = []
    for _ in range(8):
        start = time.perf_counter()
        engine.initialize(photo)
        spent.append((time.perf_counter() - start) * 1000)
    say(f"`initialize` of {size[0]}×{size[1]}: {statistics.median(spent[2:]):.1f} ms (median).\n")
    rows: list[tuple[str, dict[str, float]]] = []
    if cuda and not tiny:
        theirs = Upstream(folder)
        for _ in range(2):
            theirs.run(photo, mask, STANDARD.gaussians, STANDARD.steps)
        runs = []
        for _ in range(REPEATS):
            theirs.run(photo, mask, STANDARD.gaussians, STANDARD.steps)
            runs.append(dict(theirs.timings))
        rows.append(("upstream, 20 steps, 262,144 gaussians", medians(runs)))
    for name in ("standard", "fast"):
        effort = EFFORTS[name]
        found, gaussians = ours(
            objects, photo, mask, EngineOptions.model_validate({"quality": name, "seed": SEED})
        )
        label = f"{name}: {effort.steps} steps, {effort.gaussians:,} gaussians"
        rows.append((f"{label} ({len(gaussians):,} left)", found))
    whole = rows[0][1]["whole"]
    head = ["one object, median ms", *rows[0][1], "of the first"]
    say(
        table(
            head,
            [
                [name, *(f"{ms:.0f}" for ms in found.values()), f"{found['whole'] / whole:.2f}"]
                for name, found in rows
            ],
        )
    )
    packed = {ply_writer.pack(objects.run(photo, mask, EngineOptions())[0]) for _ in range(2)}
    alike = "the same bytes" if len(packed) == 1 else "other bytes"
    say(f"Two runs with the same seed gave {alike}.\n")
    if cuda and not tiny:
        say(errors(objects, theirs, photo, mask))
        del theirs
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        objects.run(photo, mask, EngineOptions(seed=SEED))
        say(
            f"The most GPU memory with both networks loaded, of an object: "
            f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB, "
            f"{torch.cuda.max_memory_reserved() / 1e9:.1f} reserved.\n"
        )
        del engine, objects
        say(as_without_bfloat16(folder, photo, mask))
    return "\n".join(parts)


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu.triposplat", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--work", type=Path, help="keep weights here")
    parser.add_argument("--out", type=Path, help="write the tables here")
    parser.add_argument("--load", type=Path, help="only load this folder, and say when")
    options = parser.parse_args()
    if options.load:
        load_and_say(options.load)
        return
    if options.tiny:
        os.environ["GEN3D_DEVICE"] = "cpu"
    with tempfile.TemporaryDirectory() as work:
        text = measure(options.tiny, options.work or Path(work))
    if options.out:
        _, _, tried = RESULTS.read_text().partition(TRIED) if RESULTS.exists() else ("", "", "")
        options.out.write_text(
            f"# The open engine, measured by `make bench-gpu`\n\n{text}\n{TRIED}{tried}"
        )


if __name__ == "__main__":
    main()
