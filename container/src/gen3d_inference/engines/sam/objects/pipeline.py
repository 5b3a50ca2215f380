"""Loads upstream's pipeline: what gaussian decoding needs of it, from the weights folder alone.

Upstream's code is not changed. Its class is extended where it leaves no other way: the mesh decoder
has no switch, and a network's configuration is read where its weights are.
"""

import importlib
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.sam.objects.environment import not_importable, prepare
from gen3d_inference.engines.sam.objects.points import view_of

CHECKPOINTS = Path("sam-3d-objects", "checkpoints")
DEPTH = Path("moge", "model.pt")
DINO = Path("dinov2")
"""DINOv2's code. Its weights are in the embedders' checkpoints."""

_DINO_CLASS = "sam3d_objects.model.backbone.dit.embedder.dino.Dino"
_TRUSTED = ("sam3d_objects", "torch", "torchvision", "moge")
_PICTURES = ("mask", "image", "rgb_image", "rgb_image_mask")
_POINTS = (
    "pointmap",
    "rgb_pointmap",
    "pointmap_scale",
    "pointmap_shift",
    "rgb_pointmap_scale",
    "rgb_pointmap_shift",
)
"""What the condition's networks are given."""
_NOT_LOADED = ("slat_decoder_gs_4", "ss_encoder")
_AGAIN = "Fetch the weights again."


class Pipeline(Protocol):
    """What is used of upstream's ``InferencePipelinePointMap``."""

    @property
    def models(self) -> Mapping[str, nn.Module | None]:
        """Generators and decoders."""
        ...

    @property
    def condition_embedders(self) -> Mapping[str, nn.Module | None]:
        """What the generators know of the photo."""
        ...

    @property
    def depth_model(self) -> Any:
        """Holds MoGe as its ``model``."""
        ...

    @property
    def field_of_view(self) -> Callable[[NDArray[np.uint8]], float | None]:
        """Across a photo's longer side, as MoGe sees it, radians; of ours, not of upstream's."""
        ...

    @property
    def run(self) -> Callable[..., Any]:
        """Reconstructs the opaque part of an RGBA image."""
        ...


def load(folder: Path, device: torch.device, parked: bool) -> Pipeline:
    """Load the pipeline for gaussian decoding.

    Parameters
    ----------
    folder : Path
        The weights: `CHECKPOINTS`, `DEPTH` and `DINO` in it.
    device : torch.device
        Where the networks run.
    parked : bool
        Leave the networks in the host's memory, to be moved when they run.

    Raises
    ------
    WeightsInvalid
        Upstream is not installed, a file is missing, a configuration names code that is not
        trusted, or a checkpoint does not fill its network.
    """
    prepare()
    config = configure(folder, str(device))
    try:
        upstream = importlib.import_module("hydra.utils").instantiate(config, _partial_=True)
        pipeline: Pipeline = _gaussian_pipeline(upstream.func, folder, parked)(**upstream.keywords)
    except ImportError as error:
        raise not_importable(error) from None
    if parked:
        pipeline.depth_model.model.to("cpu")
    return pipeline


def configure(folder: Path, device: str) -> Any:
    """Read the released ``pipeline.yaml`` and take out what is not needed or would be downloaded.

    Parameters
    ----------
    folder : Path
        The weights.
    device : str
        Where the networks run.

    Returns
    -------
    omegaconf.DictConfig

    Raises
    ------
    WeightsInvalid
        A file is missing, or a configuration names code that is not trusted.
    """
    checkpoints = folder / CHECKPOINTS
    config = _read(checkpoints / "pipeline.yaml")
    for name in _NOT_LOADED:
        config[f"{name}_config_path"] = config[f"{name}_ckpt_path"] = None
    config.pop("layout_post_optimization_method", None)
    config.update(
        workspace_dir=str(checkpoints),
        device=device,
        rendering_engine="pytorch3d",
        compile_model=False,  # minutes, each time the endpoint wakes
    )
    config.depth_model.device = device
    config.depth_model.model.pretrained_model_name_or_path = str(folder / DEPTH)
    used = [
        str(value)
        for key, value in config.items()
        if str(key).endswith(("_config_path", "_ckpt_path"))
        and value is not None
        and not str(key).startswith("slat_decoder_mesh")
    ]
    for path in (*(CHECKPOINTS / name for name in used), DEPTH, DINO / "hubconf.py"):
        if not (folder / path).exists():
            raise WeightsInvalid(f"{path} is missing in {folder}. {_AGAIN}")
    check_targets(config)
    for name in used:
        if name.endswith((".yaml", ".yml")):
            check_targets(_read(checkpoints / name))
    return config


def _read(path: Path) -> Any:
    try:
        return importlib.import_module("omegaconf").OmegaConf.load(path)
    except ImportError as error:
        raise not_importable(error) from None
    except OSError:
        raise WeightsInvalid(f"{path.name} is missing in {path.parent}. {_AGAIN}") from None
    except Exception as error:
        raise WeightsInvalid(f"{path} is no configuration: {error}. {_AGAIN}") from None


def check_targets(config: Any) -> None:
    """Refuse a configuration that would call anything but the model's own code.

    Upstream's rule is a list of packages and one of forbidden functions, which can be reached
    through those packages (``torch.os.system``). Here what a name stands for has to be *defined*
    in one of the packages, which leaves no such way.

    Raises
    ------
    WeightsInvalid
    """
    find = importlib.import_module("hydra.utils").get_object
    for node in _nodes(config):
        target = str(node["_target_"])
        trusted = target.split(".")[0] in _TRUSTED
        if trusted:
            try:
                home = getattr(find(target), "__module__", None) or ""
            except Exception as error:
                raise WeightsInvalid(
                    f"The weights' configuration names {target}, which cannot be imported: {error}"
                ) from None
            trusted = home.split(".")[0] in _TRUSTED and not home.startswith("torch.hub")
        if not trusted:
            raise WeightsInvalid(
                f"The weights' configuration names {target}, which is no code of the model. "
                f"{_AGAIN}"
            )


def _nodes(config: Any) -> Iterator[Any]:
    """Everything in a configuration that names a thing to make."""
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield config
        config = list(config.values())
    if isinstance(config, Sequence) and not isinstance(config, str):
        for value in config:
            yield from _nodes(value)


def _gaussian_pipeline(base: type[Any], folder: Path, parked: bool) -> type[Any]:
    module = importlib.import_module(base.__module__)

    class GaussianPipeline(base):
        """Upstream's pipeline without the mesh decoder, and without anything to download.

        Photos are prepared where the networks are: upstream's functions are torch's, which a GPU
        does in milliseconds and a processor in seconds. Equal pixels have equal depth, so that a
        photo's second object asks for none.
        """

        _taken: Callable[[], object] = staticmethod(lambda: None)
        _pixels: torch.Tensor
        _seen: tuple[torch.Tensor, torch.Tensor] | None = None

        def merge_image_and_mask(self, image: Any, mask: Any) -> Any:
            if mask is None and isinstance(image, np.ndarray):
                return image
            return super().merge_image_and_mask(image, mask)

        def compute_pointmap(self, image: Any, pointmap: Any = None) -> Any:
            rgba = self._on_device(image)
            if pointmap is None:
                points = self._seen_points(rgba)
            else:  # of another size, and its edges are no slopes
                told = pointmap.to(self.device).permute(2, 0, 1)[None]
                points = nn.functional.interpolate(told, rgba.shape[1:], mode="nearest")[0]
            return {"pointmap": self._clip_pointmap(points, rgba[3]), "pts_color": rgba[:3]}

        def field_of_view(self, image: NDArray[np.uint8]) -> float | None:
            return view_of(self._seen_points(self._on_device(image)))

        def preprocess_image(self, image: Any, preprocessor: Any, pointmap: Any = None) -> Any:
            rgba = self._on_device(np.asarray(image))
            made = preprocessor._process_image_mask_pointmap_mess(rgba[:3], rgba[3:], pointmap)
            names = list(_PICTURES)
            if pointmap is not None and preprocessor.pointmap_transform != (None,):
                names += _POINTS
            return {name: made[name][None].to(self.device) for name in names}

        def _on_device(self, image: NDArray[np.uint8]) -> torch.Tensor:
            """A photo with its mask, (height, width, 4), as (4, height, width) float32, 0 to 1."""
            if self._taken() is not image:
                self._pixels = torch.from_numpy(image).to(self.device)
                self._taken = weakref.ref(image)
            return self._pixels.permute(2, 0, 1).float().div_(255)

        def _seen_points(self, rgba: torch.Tensor) -> torch.Tensor:
            colours = self._pixels[..., :3]
            if self._seen is None or not torch.equal(self._seen[0], colours):
                self._seen = None  # makes room before the next
                self._seen = colours.clone(), self._points(rgba[:3])
            return self._seen[1]

        def _points(self, photo: torch.Tensor) -> torch.Tensor:
            """Where each pixel lies in PyTorch3D's camera, (3, height, width)."""
            with torch.no_grad(), torch.autocast(device_type="cuda", dtype=self.dtype):
                points = self.depth_model(photo)["pointmaps"]
            turn = module.camera_to_pytorch3d_camera(device=self.device).rotation
            moved = module.Transform3d().rotate(turn).to(self.device).transform_points(points)
            placed: torch.Tensor = moved.permute(2, 0, 1)
            return placed

        def init_slat_decoder_mesh(self, *_: object) -> None:
            return None

        def instantiate_and_load_from_pretrained(
            self, config: Any, ckpt_path: str, *args: Any, **options: Any
        ) -> nn.Module:
            for node in _nodes(config):
                if node["_target_"] == _DINO_CLASS:
                    node.update(
                        repo_or_dir=str(folder / DINO),
                        source="local",
                        backbone_kwargs={
                            **(node.get("backbone_kwargs") or {}),
                            "pretrained": False,
                        },
                    )
            if parked:
                options["device"] = "cpu"
            try:
                network: nn.Module = super().instantiate_and_load_from_pretrained(
                    config, ckpt_path, *args, **options
                )
            except (ImportError, torch.OutOfMemoryError):
                raise
            except Exception as error:
                raise WeightsInvalid(
                    f"{Path(ckpt_path).name} does not fit its network: {error}. {_AGAIN}"
                ) from error
            if ckpt_path.endswith(".safetensors"):
                check_filled(network, Path(ckpt_path), options.get("state_dict_fn"))
            return network

    return GaussianPipeline


def check_filled(
    network: nn.Module,
    checkpoint: Path,
    rename: Callable[[dict[str, None]], dict[str, None]] | None = None,
) -> None:
    """Refuse a checkpoint that leaves a part of its network random.

    Upstream loads safetensors files leniently: what a file lacks keeps its random start, without a
    word.

    Raises
    ------
    WeightsInvalid
    """
    with importlib.import_module("safetensors").safe_open(checkpoint, "pt") as file:
        names: dict[str, None] = dict.fromkeys(file.keys())
    missing = network.state_dict().keys() - (rename(names) if rename else names).keys()
    if missing:
        raise WeightsInvalid(
            f"{checkpoint.name} lacks {len(missing)} tensors of its network, such as "
            f"{min(missing)}. {_AGAIN}"
        )
