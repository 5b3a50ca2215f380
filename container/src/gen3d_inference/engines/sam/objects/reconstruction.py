"""SAM 3D Objects, from a photo and a mask to gaussians and their pose."""

import gc
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gen3d.contract import Pose
from gen3d.errors import InvalidMask, OutOfMemory, ReconstructionFailed, WeightsInvalid
from gen3d.options import EngineOptions, Quality
from gen3d_inference.engines.interface import Depth, Floats, Gaussians, Mask, Tell, silent
from gen3d_inference.engines.parts.acceleration import compile_layers
from gen3d_inference.engines.sam.objects import pipeline as upstream
from gen3d_inference.engines.sam.objects.flows import lighten
from gen3d_inference.engines.sam.objects.phases import Phases, refuse_empty
from gen3d_inference.engines.sam.objects.pipeline import Pipeline
from gen3d_inference.engines.sam.objects.points import LEAST_KNOWN, points_of

OFFLOAD_BELOW = 40e9
"""Bytes of GPU memory under which ``GEN3D_OFFLOAD=auto`` moves networks on and off."""

_MIN_EXTENT = 3
"""Pixels a mask has to span both ways: upstream refuses a box whose corners are closer."""

SHORTCUT = 4
"""Steps of the shape's generator where it goes by its shortcut, as in appendix C.4 of the paper."""

_OPTIONS = {
    "decode_formats": ["gaussian"],
    "with_mesh_postprocess": False,
    "with_texture_baking": False,
    "with_layout_postprocess": False,
}


def offload_wanted(setting: str, total_memory: int | None) -> bool:
    """Decide whether networks are moved on and off the GPU.

    Parameters
    ----------
    setting : str
        ``auto``, ``always`` or ``never``.
    total_memory : int, optional
        The GPU's, in bytes; None without one.

    Raises
    ------
    WeightsInvalid
        Another setting.
    """
    if setting not in ("auto", "always", "never"):
        raise WeightsInvalid(
            f"GEN3D_OFFLOAD is {setting!r}. Set it to auto, always or never, or leave it out."
        )
    if setting == "auto":
        return total_memory is not None and total_memory < OFFLOAD_BELOW
    return setting == "always"


class ObjectReconstruction:
    """Reconstructs objects, one at a time.

    Parameters
    ----------
    folder : Path
        The sam engine's weights.
    device : str
        Where the networks run.
    load : callable
        Gives upstream's pipeline.

    Raises
    ------
    WeightsInvalid
        See `gen3d_inference.engines.sam.objects.pipeline.load`; or ``GEN3D_OFFLOAD`` is misspelt.
    """

    def __init__(
        self,
        folder: Path,
        device: str = "cuda",
        load: Callable[[Path, torch.device, bool], Pipeline] = upstream.load,
    ) -> None:
        self._device = torch.device(device)
        self._offload = offload_wanted(
            os.environ.get("GEN3D_OFFLOAD", "auto"),
            torch.cuda.get_device_properties(self._device).total_memory
            if self._device.type == "cuda"
            else None,
        )
        self._pipeline = load(folder, self._device, self._offload)
        self._efforts = _efforts(self._pipeline)
        generators = (self._pipeline.models[name] for name in ("ss_generator", "slat_generator"))
        self._flows = [flow for each in generators if each is not None and (flow := lighten(each))]
        self._phases = _phases(self._pipeline, self._device, self._offload)
        if self._device.type == "cuda":
            layers = [layer for flow in self._flows for layer in flow.layers]
            compile_layers(layers, self._rehearse, "generators")
            for flow in self._flows:
                flow.recording = True

    @property
    def timings(self) -> dict[str, float]:
        """Milliseconds a phase of the last run, in the order in which they ran."""
        return self._phases.timings

    def run(
        self,
        photo: Image.Image,
        mask: Mask,
        options: EngineOptions,
        progress: Tell = silent,
        depth: Depth | None = None,
    ) -> tuple[Gaussians, Pose]:
        """Reconstruct the object under a mask.

        A depth map that knows too little of the object is left, and the distance is seen as ever:
        then, as without one, the pose is not `metric`.

        Parameters
        ----------
        photo : PIL.Image.Image
            Upright, RGB.
        mask : (height, width)
            True on the object.
        options : EngineOptions
            The seed of the noise that the generators start from, and the quality: fast or standard.
        progress : callable
            Told of each phase and sampling step.
        depth : Depth, optional
            Distances to go by.

        Returns
        -------
        gaussians : Gaussians
        pose : Pose

        Raises
        ------
        InvalidMask
            Of another size than the photo, empty, or too thin.
        OutOfMemory
            The GPU's memory did not suffice; it was freed.
        ReconstructionFailed
            The networks gave nothing, or values that are no numbers.
        """
        image = rgba(photo, mask)
        self._phases.restart(progress)
        try:
            with torch.no_grad():
                how = {**_OPTIONS, **self._efforts[options.quality]}
                view = None
                if depth is not None and depth.known(mask) >= LEAST_KNOWN:
                    view = depth.field_of_view or self._pipeline.field_of_view(image)
                    how |= {"pointmap": points_of(depth, view)} if view else {}
                output = self._pipeline.run(image, None, options.seed, **how)
                pose = pose_of(output)
                if view:
                    pose = pose.model_copy(update={"field_of_view": view, "metric": True})
                return gaussians_of(output["gs"]), pose
        except torch.OutOfMemoryError:
            pass
        except RuntimeError as error:
            if "out of memory" not in str(error):
                raise
        # Only here, where the error and with it the frames that hold tensors are gone.
        self._free()
        raise OutOfMemory(self._too_little())

    def _rehearse(self) -> None:
        """Call every network once, as objects will: compilers and libraries choose kernels then."""
        pipeline: Any = self._pipeline  # of upstream's, more than objects ask of it
        side = 512
        photo = Image.fromarray(np.full((side, side, 3), 128, np.uint8))
        across = np.linspace(-1, 1, side)
        image = rgba(photo, across[:, None] ** 2 + across**2 < 0.5)
        with torch.inference_mode(False), torch.no_grad(), self._device:
            with suppress(ReconstructionFailed):  # there need be no shape in it
                pipeline.run(image, None, 0, stage1_only=True, stage1_inference_steps=1)
            prepared = pipeline.preprocess_image(image, pipeline.slat_preprocessor)
            latents = pipeline.sample_slat(prepared, _sphere(self._device), inference_steps=1)
            pipeline.decode_slat(latents, ["gaussian"])

    def _free(self) -> None:
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _too_little(self) -> str:
        setting = "" if self._offload else "set GEN3D_OFFLOAD to always, or "
        return (
            "The GPU's memory does not suffice for this object. Try again; if it fails again, "
            f"{setting}deploy the endpoint on an instance with more of it."
        )


def _efforts(pipeline: Pipeline) -> dict[Quality, dict[str, int | bool]]:
    """What each quality asks of the generators: the weights' own steps; or few.

    The shape's has learnt to go by few steps, and without guidance, where it is told so; the
    latents' has not, and takes half of its own. All is said at each run: what upstream sets for one
    stays set where that one fails.
    """
    shape, latents = (pipeline.models[name] for name in ("ss_generator", "slat_generator"))
    assert shape is not None
    assert latents is not None
    first, second = int(shape.inference_steps), int(latents.inference_steps)
    network = getattr(shape.reverse_fn, "backbone", None)
    shortcut = bool(getattr(network, "is_shortcut_model", False))
    return {
        "standard": {"stage1_inference_steps": first, "stage2_inference_steps": second},
        "fast": {
            "stage1_inference_steps": SHORTCUT if shortcut else max(1, first // 2),
            "use_stage1_distillation": shortcut,
            "stage2_inference_steps": max(1, second // 2),
        },
    }


def _phases(pipeline: Pipeline, device: torch.device, offload: bool) -> Phases:
    phases = Phases(device, offload)
    phases.add("depth", pipeline.depth_model.model, "infer")
    for name, embedder in (
        ("structureCondition", pipeline.condition_embedders["ss_condition_embedder"]),
        ("latentsCondition", pipeline.condition_embedders["slat_condition_embedder"]),
    ):
        if embedder is not None:
            phases.add(name, embedder)
    networks = {name: network for name, network in pipeline.models.items() if network is not None}
    phases.add_sampler("structure", networks["ss_generator"])
    phases.add("voxels", networks["ss_decoder"])
    refuse_empty(
        networks["ss_decoder"],
        lambda: ReconstructionFailed(
            "No shape was found under this mask. Cover more of the object, or try another seed."
        ),
    )
    phases.add_sampler("latents", networks["slat_generator"])
    phases.add("gaussians", networks["slat_decoder_gs"])
    return phases


def _sphere(device: torch.device) -> Tensor:
    """A sphere's voxels, (n, 4) int32, of which the first column is the object's number, 0."""
    along = torch.arange(64, device=device)
    places = torch.cartesian_prod(along, along, along)
    radius = (places - 31.5).norm(dim=1)
    shell = places[(radius > 28) & (radius < 29)]
    return torch.nn.functional.pad(shell, (1, 0)).int()


def rgba(photo: Image.Image, mask: Mask) -> NDArray[np.uint8]:
    """Lay a mask into a photo's alpha, as 0 and 255.

    Upstream takes other masks without complaint and reads them wrongly: 0 and 1 as nearly
    transparent, and through its notebook interface 255 as 1.

    Returns
    -------
    (height, width, 4) uint8

    Raises
    ------
    InvalidMask
    """
    if mask.shape != (photo.height, photo.width):
        height, width = mask.shape[:2] if mask.ndim >= 2 else (1, len(mask))
        raise InvalidMask(
            f"The mask has {width}×{height} pixels, the photo {photo.width}×{photo.height}. "
            "Send a mask of the photo's size."
        )
    object_ = mask.astype(bool)
    if not object_.any():
        raise InvalidMask("The mask is empty. Click the object before you send it.")
    spans = [np.flatnonzero(object_.any(axis)) for axis in (0, 1)]
    if min(span[-1] - span[0] + 1 for span in spans) < _MIN_EXTENT:
        raise InvalidMask(f"The mask is thinner than {_MIN_EXTENT} pixels. Cover the whole object.")
    made = np.empty((*mask.shape, 4), np.uint8)
    made[..., :3] = np.asarray(photo if photo.mode == "RGB" else photo.convert("RGB"))
    np.multiply(object_, np.uint8(255), out=made[..., 3])
    return made


def gaussians_of(gaussian: Any) -> Gaussians:
    """Read upstream's ``Gaussian`` as its own PLY writer does, value for value.

    One thing differs. The writer takes an opacity through the sigmoid and back, which in float32
    makes ±inf of logits beyond about 17; the logit itself is kept there. An infinite one that is
    left is the network's own, and refused.

    Raises
    ------
    ReconstructionFailed
        No gaussians, or values that are no finite numbers.
    """
    opacity = gaussian.get_opacity
    logit = torch.log(opacity / (1 - opacity))
    logit = torch.where(logit.isfinite(), logit, gaussian._opacity + gaussian.opacity_bias)
    columns = {
        "xyz": gaussian.get_xyz,
        "f_dc": gaussian._features_dc.transpose(1, 2).flatten(1),
        "opacity": logit.flatten(),
        "scale": torch.log(gaussian.get_scaling),
        "rotation": gaussian._rotation + gaussian.rots_bias[None, :],
    }
    arrays: dict[str, Floats] = {
        name: column.detach().float().cpu().numpy() for name, column in columns.items()
    }
    count = len(arrays["xyz"])
    if count == 0:
        raise ReconstructionFailed(
            "No gaussians came out of this mask. Cover more of the object and try again."
        )
    finite = np.logical_and.reduce(
        [np.isfinite(array).reshape(count, -1).all(1) for array in arrays.values()]
    )
    if not finite.all():
        raise ReconstructionFailed(
            f"{(~finite).sum()} of {count} gaussians are no numbers. "
            "Try again with another seed or mask."
        )
    return Gaussians(**arrays)


def pose_of(output: Any) -> Pose:
    """Read the object's pose.

    Upstream's transform is PyTorch3D's, which multiplies rows: ``p_cam = scale · p R(q) +
    translation``. Ours multiplies columns, so the quaternion is inverted.

    Raises
    ------
    ReconstructionFailed
        The pose is no finite numbers.
    """
    q, t, s = (
        output[name].detach().double().cpu().numpy().reshape(-1)
        for name in ("rotation", "translation", "scale")
    )
    values = np.concatenate([q, t, s])
    if not np.isfinite(values).all() or not np.linalg.norm(q) > 0:
        raise ReconstructionFailed(
            "The object's place in the photo could not be found. Try another seed or mask."
        )
    w, x, y, z = (q / np.linalg.norm(q)).tolist()
    return Pose(rotation=(w, -x, -y, -z), translation=tuple(t.tolist()), scale=tuple(s.tolist()))
