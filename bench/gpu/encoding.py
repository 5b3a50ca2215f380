"""The image encoder by itself: latency, memory, and how far from single precision it is."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gen3d.images import read_reduced
from gen3d_inference.engines.parts.acceleration import _recording, accelerate
from gen3d_inference.engines.parts.gpu import to_host
from gen3d_inference.engines.parts.pixels import stretch, to_device
from gen3d_inference.engines.parts.precision import Storing, store
from gen3d_inference.engines.sam.encoder import EncoderNetwork, ImageEncoder
from gen3d_inference.engines.sam.tracker import load_tracker

REPEATS = 25


@dataclass(frozen=True)
class Row:
    """One way to run the network; times in ms, memory in MB, error relative to single precision."""

    name: str
    median: float
    fastest: float
    prepared: float
    allocated: float
    reserved: float
    error: float


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _peaks() -> tuple[float, float]:
    if not torch.cuda.is_available():
        return 0.0, 0.0
    return torch.cuda.max_memory_allocated() / 1e6, torch.cuda.max_memory_reserved() / 1e6


def _milliseconds(work: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    spent = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        work()
        _synchronize()
        spent.append((time.perf_counter() - start) * 1000)
    return spent[3:]


@torch.inference_mode()
def compare(folder: Path, repeats: int = REPEATS) -> list[Row]:
    """Run the network in each way, on the same noise."""
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    reference: list[Tensor] = []
    rows = []

    def measure(
        name: str, dtype: torch.dtype, prepare: Callable[[EncoderNetwork, Tensor], object]
    ) -> None:
        gc.collect()
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        before = _peaks()
        network = EncoderNetwork(load_tracker(folder, dtype)).requires_grad_(False).to(device)
        side = int(network.backbone.config.image_size)
        generator = torch.Generator().manual_seed(0)
        pixels = torch.randn((1, 3, side, side), generator=generator).to(device, dtype)
        start = time.perf_counter()
        run = prepare(network, pixels)
        assert callable(run)
        run(pixels)
        _synchronize()
        prepared = (time.perf_counter() - start) * 1000
        spent = _milliseconds(lambda: run(pixels), repeats)
        answers = [tensor.float().cpu() for tensor in run(pixels)[:3]]
        if not reference:
            reference.extend(answers)
        error = max(
            ((given - exact).norm() / exact.norm()).item()
            for given, exact in zip(answers, reference, strict=True)
        )
        allocated, reserved = (now - then for now, then in zip(_peaks(), before, strict=True))
        rows.append(
            Row(name, statistics.median(spent), min(spent), prepared, allocated, reserved, error)
        )

    measure("float32, eager", torch.float32, lambda network, _: network)
    measure("bfloat16, eager", torch.bfloat16, lambda network, _: network)
    if cuda:
        measure("bfloat16, CUDA graph", torch.bfloat16, _recording)
        measure(
            "bfloat16, layers compiled, CUDA graph",
            torch.bfloat16,
            lambda network, pixels: accelerate(network, network.backbone.layers, pixels),
        )
        measure(
            "the same, products ending in GELU (what is served)",
            torch.bfloat16,
            _served,
        )
    return rows


def _served(network: EncoderNetwork, pixels: Tensor) -> object:
    network.join_activations()
    return accelerate(network, network.backbone.layers, pixels)


@torch.inference_mode()
def split(
    folder: Path, photo: bytes, repeats: int = REPEATS
) -> tuple[dict[str, float], float, float]:
    """Median milliseconds of what `encode` in the server's timings consists of.

    Returns
    -------
    dict of str to float
        By step.
    float, float
        The most memory that was allocated, and reserved, in MB: weights, graph and photo.
    """
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder = ImageEncoder(folder, device)
    decoded, _ = read_reduced(photo, encoder.side)
    pixels = to_device(decoded, device)
    values = stretch(pixels, encoder.side)
    typed = values.to(encoder._dtype)
    tensors = encoder(decoded)[0]
    steps: dict[str, Callable[[], object]] = {
        "photo to the GPU": lambda: to_device(decoded, device),
        "stretch": lambda: stretch(pixels, encoder.side),
        "network": lambda: encoder._run(typed),
        "embeddings as bytes, to the host": lambda: to_host(store(tensors, Storing("u8", True))),
    }
    spent = {name: statistics.median(_milliseconds(step, repeats)) for name, step in steps.items()}
    return spent, *_peaks()
