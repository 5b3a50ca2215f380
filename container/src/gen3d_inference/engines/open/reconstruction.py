"""TripoSplat, from a photo and a mask to gaussians and their pose."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from gen3d.contract import Pose
from gen3d.errors import ReconstructionFailed, WeightsInvalid
from gen3d.options import EngineOptions, Quality
from gen3d_inference.engines.interface import Gaussians, Mask, Tell, silent
from gen3d_inference.engines.open import upstream
from gen3d_inference.engines.open.attention import fastest
from gen3d_inference.engines.open.cutout import Cutout
from gen3d_inference.engines.open.flow import Flow, Sizes, denoise
from gen3d_inference.engines.open.gaussian_decoder import (
    draw_points,
    gaussians_of,
    into_frame,
    pose_of,
)
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.acceleration import compile_layers

logger = logging.getLogger(__name__)

DENOISER = "triposplat/diffusion_models/triposplat_fp16.safetensors"
DECODER = "triposplat/vae/triposplat_vae_decoder_fp16.safetensors"
IMAGE_ENCODER = "triposplat/clip_vision/dino_v3_vit_h.safetensors"
LATENT_ENCODER = "triposplat/vae/flux2-vae.safetensors"
"""The networks' files in the weights folder."""

GUIDANCE = 3.0
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_BACKENDS = [
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]
"""Of upstream's networks, the first that the card and the shapes allow."""


@dataclass(frozen=True)
class Effort:
    """How much is done for an object.

    Parameters
    ----------
    steps : int
        Of the denoiser; upstream recommends 10 to 20.
    gaussians : int
        A multiple of 32, of 32,768 to 262,144.
    """

    steps: int
    gaussians: int


EFFORTS: dict[Quality, Effort] = {
    "fast": Effort(steps=10, gaussians=131_072),
    "standard": Effort(steps=20, gaussians=262_144),
}
"""What each quality is; standard is upstream's own."""


class ObjectReconstruction:
    """Reconstructs objects, one at a time.

    Parameters
    ----------
    folder : Path
        The open engine's weights.
    device : torch.device

    Raises
    ------
    WeightsInvalid
        A network's file cannot be loaded, or upstream's code is not there or another.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        code = upstream.load()
        self._device = device
        self._canvas = code.canvas
        self._build = code.build_gaussians
        on_gpu = device.type == "cuda"
        # Where halves are too narrow for what upstream runs in bfloat16, and that is not there.
        wide = torch.bfloat16 if gpu.has_bfloat16(device) else torch.float32
        self._dtype = torch.float16 if on_gpu else torch.float32
        self._images = _loaded(code.image_encoder, (), folder / IMAGE_ENCODER, device, wide)
        self._latents = _loaded(code.latent_encoder, (), folder / LATENT_ENCODER, device, wide)
        self._decoder = _loaded(
            code.decoder, code.decoder_arguments, folder / DECODER, device, self._dtype
        )
        sizes = Sizes.of(code.flow_arguments)
        with _named(folder / DENOISER):
            parameters = load_file(folder / DENOISER, device=str(device))
            self._flow = Flow.load(parameters, sizes, self._dtype)
        self._per_point = int(self._decoder.gaussians_per_point)
        self.timings: dict[str, float] = {}
        """Milliseconds a phase of the last run, in the order in which they ran."""
        if on_gpu:
            self._accelerate(sizes)

    def _accelerate(self, sizes: Sizes) -> None:
        tokens = sizes.q_token_length + (self._canvas // 16) ** 2
        width = sizes.model_channels // sizes.num_heads
        self._flow.use(fastest(self._device, self._dtype, sizes.num_heads, width, tokens))
        picture = Image.new("RGB", (self._canvas, self._canvas))

        def trial() -> None:
            generator = torch.Generator(self._device).manual_seed(0)
            condition = self._encode(picture, generator)
            self._denoise(condition, generator, 1, lambda _: None)

        compile_layers(self._flow.compilable, trial, "denoiser")

    @torch.inference_mode()
    def run(
        self,
        photo: Image.Image,
        mask: Mask,
        options: EngineOptions,
        progress: Tell = silent,
    ) -> tuple[Gaussians, Pose]:
        """Reconstruct the object under a mask.

        Parameters
        ----------
        photo : PIL.Image.Image
            Upright, RGB.
        mask : (height, width)
            True on the object; of the photo's size and not empty.
        options : EngineOptions
            The seed of the noise that the denoiser starts from, and the quality, of `EFFORTS`.
        progress : callable
            Told of each phase and step.

        Raises
        ------
        ReconstructionFailed
            The networks gave values that are no numbers.
        """
        self.timings = {}
        effort = EFFORTS[options.quality]
        generator = torch.Generator(self._device).manual_seed(options.seed)
        cutout = Cutout.around(mask)
        with self._phase("cutout", progress):
            picture = cutout.picture(photo, mask, self._canvas)
        with self._phase("condition", progress):
            condition = self._encode(picture, generator)
        with self._phase("latents", progress):
            latent, camera = self._denoise(
                condition, generator, effort.steps, lambda done: progress("latents", done)
            )
        if not bool(latent.isfinite().all()):
            raise ReconstructionFailed(
                "The network gave values that are no numbers. Try another seed or mask."
            )
        with self._phase("gaussians", progress):
            gaussians, shrunk = into_frame(self._decode(latent, effort.gaussians, generator))
        return gaussians, pose_of(camera, cutout, photo.size, shrunk)

    def _encode(self, picture: Image.Image, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What both image encoders make of a picture: (1, n, channels) each."""
        values = torch.from_numpy(np.array(picture)).to(self._device)
        pixels = values.permute(2, 0, 1)[None].float() / 255
        mean, std = (
            torch.tensor(each, device=self._device).view(1, 3, 1, 1) for each in (_MEAN, _STD)
        )
        with sdpa_kernel(_BACKENDS, set_priority=True):
            seen = self._images(((pixels - mean) / std).to(_dtype_of(self._images)))
            feature1 = functional.layer_norm(seen.float(), seen.shape[-1:])
            feature2 = self._latents.encode(
                pixels.to(_dtype_of(self._latents)) * 2 - 1,
                deterministic=False,
                generator=generator,
            )
        # The first encoder's tokens begin with some of no place in the picture.
        placeless = feature1.shape[1] - feature2.shape[1]
        return feature1, functional.pad(feature2, (0, 0, placeless, 0))

    def _denoise(
        self,
        condition: tuple[Tensor, Tensor],
        generator: torch.Generator,
        steps: int,
        progress: Callable[[float], None],
    ) -> tuple[Tensor, Tensor]:
        sizes = self._flow.sizes
        noise = (
            self._noise((1, sizes.q_token_length, sizes.in_channels), generator),
            self._noise((1, 1, sizes.cam_channels), generator),
        )
        contexts = self._flow.contexts(*condition)
        return denoise(self._flow, noise, contexts, steps, GUIDANCE, progress)

    def _noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.randn(shape, device=self._device, generator=generator)

    def _decode(self, latent: Tensor, count: int, generator: torch.Generator) -> Gaussians:
        with sdpa_kernel(_BACKENDS, set_priority=True):
            points = draw_points(self._decoder.octree, latent, count // self._per_point, generator)
            placed = {"points": points[None]}
            features = self._decoder.gs(x=placed, cond=latent)["features"]
        # In halves, the smallest gaussians' sizes would have one digit left.
        predicted = {"features": features.float()}
        return gaussians_of(self._build(self._decoder.gs, placed, predicted)[0])

    @contextmanager
    def _phase(self, name: str, progress: Tell) -> Iterator[None]:
        progress(name, 0.0)
        start = time.perf_counter()
        yield
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.timings[name] = round((time.perf_counter() - start) * 1000, 1)
        progress(name, 1.0)


def _loaded(
    network: Any, arguments: tuple[Any, ...], path: Path, device: torch.device, dtype: torch.dtype
) -> Any:
    """One of upstream's networks, made on the device, where its random start takes least."""
    with _named(path):
        with torch.device(device):
            made = network(*arguments)
        made.load_safetensors(str(path))
    return made.to(device=device, dtype=dtype).eval().requires_grad_(False)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what loading may raise into a sentence."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise WeightsInvalid(
            f"{path} cannot be loaded by TripoSplat's code ({reason}). Fetch the weights again."
        ) from error


def _dtype_of(network: Any) -> torch.dtype:
    dtype: torch.dtype = next(network.parameters()).dtype
    return dtype
