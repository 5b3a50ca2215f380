"""Builds the tracer with nvcc or a C++ compiler, and calls it on tensors."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import layout

SOURCES = Path(__file__).parent / "tracer"


def build(cuda: bool, folder: Path = Path("build/tracer")) -> Path:
    """Compile the tracer, once per source and compiler.

    Parameters
    ----------
    cuda
        Build kernels with nvcc for the GPU at hand; else a loop with g++ and OpenMP.
    folder
        Where libraries are kept.

    Returns
    -------
    Path
        The shared library.

    Raises
    ------
    RuntimeError
        When the compiler is missing or refuses the source.
    """
    compiler = shutil.which("nvcc" if cuda else "c++")
    if compiler is None:
        raise RuntimeError(f"Install {'nvcc' if cuda else 'a C++ compiler'} to build the tracer.")
    if cuda:
        major, minor = torch.cuda.get_device_capability()
        flags = ["-O3", "-use_fast_math", f"-arch=sm_{major}{minor}", "-Xcompiler", "-fPIC"]
    else:
        flags = ["-O3", "-ffast-math", "-fopenmp", "-fPIC", "-x", "c++"]
    text = "".join(path.read_text() for path in sorted(SOURCES.iterdir()))
    key = hashlib.sha256((text + " ".join(flags)).encode()).hexdigest()[:12]
    library = folder / f"tracer-{key}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}")  # two trainings may build side by side
        command = [compiler, *flags, "-shared", str(SOURCES / "tracer.cu"), "-o", str(fresh)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(f"The tracer does not compile:\n{done.stderr}")
        fresh.replace(library)
    return library


@dataclass
class Rendering:
    """What the tracer answers for B scenes of S × S pixels.

    Attributes
    ----------
    colour
        Linear RGB, f32 [B, S, S, 3], mostly in [0, 1].
    identity
        u8 [B, S, S]: 0 sky or ceiling, 1… instances, 17… cut-outs, 60 a picture
        (`pictures.hung`), 61 ground, 62 wall, 63 a room's second wall.
    part
        u8 [B, S, S]: 0, or 1 + instance · MAX_MATERIALS + material.
    front, back
        Depth along the optical axis of an instance's nearest and farthest surface, f32 [B, S, S];
        0 where there is none. None unless asked for.
    back_colour
        Linear RGB of the farthest surface, f32 [B, S, S, 3], or None.
    """

    colour: Tensor
    identity: Tensor
    part: Tensor
    front: Tensor | None = None
    back: Tensor | None = None
    back_colour: Tensor | None = None


class Renderer:
    """Renders scenes made of a pool of objects.

    Parameters
    ----------
    objects
        Packed objects, f32 [N, OBJECT.size].
    device
        "cuda" or "cpu".
    """

    def __init__(self, objects: np.ndarray, device: torch.device | str) -> None:
        self.device = torch.device(device)
        self.objects = torch.from_numpy(objects).to(self.device).contiguous()
        self._library = ctypes.CDLL(str(build(self.device.type == "cuda").resolve()))
        sizes = (ctypes.c_int * 6)()
        self._library.record_sizes(sizes)
        records = (
            layout.PRIMITIVE,
            layout.OBJECT,
            layout.MATERIAL,
            layout.INSTANCE,
            layout.CUTOUT,
            layout.SCENE,
        )
        if tuple(sizes) != tuple(record.size for record in records):
            raise RuntimeError("layout.py and tracer/records.h disagree.")

    def __len__(self) -> int:
        return len(self.objects)

    def half_extent(self, indices: Tensor) -> Tensor:
        """Half the bounding box of objects of radius 1, f32 [..., 3]."""
        return self.objects[indices][..., layout.OBJECT["half_extent"]]

    def palettes(self, indices: Tensor) -> Tensor:
        """Which palette each material of an object is drawn from, i64 [..., MAX_MATERIALS]."""
        return self.objects[indices][..., layout.OBJECT["palettes"]].long()

    def __call__(
        self,
        instances: Tensor,
        cutouts: Tensor,
        scenes: Tensor,
        size: int,
        samples: int = 1,
        with_back: bool = False,
    ) -> Rendering:
        """Render.

        Parameters
        ----------
        instances, cutouts, scenes
            f32 [B, MAX_INSTANCES, INSTANCE.size], [B, MAX_CUTOUTS, CUTOUT.size], [B, SCENE.size].
        size
            Pixels of the square image's side, a multiple of 16.
        samples
            Rays a pixel, 1 to 5.
        with_back
            Also trace depths and the colours of the surface behind.
        """
        if size % 16 or not 1 <= samples <= 5:
            raise ValueError("The size must be a multiple of 16 and samples 1 to 5.")
        batch, shape = len(scenes), (len(scenes), size, size)
        colour = torch.empty(*shape, 3, device=self.device)
        labels = torch.empty(*shape, 2, device=self.device, dtype=torch.uint8)
        surfaces = torch.empty(*shape, 5, device=self.device) if with_back else colour
        inputs = [tensor.float().contiguous() for tensor in (instances, cutouts, scenes)]
        stream = torch.cuda.current_stream().cuda_stream if self.device.type == "cuda" else 0
        error = self._library.render(
            *(ctypes.c_void_p(tensor.data_ptr()) for tensor in (self.objects, *inputs)),
            batch,
            size,
            samples,
            int(with_back),
            *(ctypes.c_void_p(tensor.data_ptr()) for tensor in (colour, labels, surfaces)),
            ctypes.c_void_p(stream),
        )
        if error:
            raise RuntimeError(f"The tracer failed with CUDA error {error}.")
        rendering = Rendering(colour, labels[..., 0], labels[..., 1])
        if with_back:
            rendering.front, rendering.back = surfaces[..., 0], surfaces[..., 1]
            rendering.back_colour = surfaces[..., 2:5]
        return rendering
