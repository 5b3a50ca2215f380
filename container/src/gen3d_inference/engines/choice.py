"""The choice of an engine by its name: what stands between the server and the engines."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.interface import Engine

ENGINES = ("lite", "open", "sam")


def load(name: str, folder: Path, revision: str | None = None) -> Engine:
    """Load an engine from its sealed weights.

    Parameters
    ----------
    name : str
        One of `ENGINES`, or the class of somebody's own, as ``package.module:Class``, which is made
        of `folder` and `revision` as they are.
    folder : Path
        Where the weights lie; see `gen3d_inference.weights`.
    revision : str, optional
        The only revision to accept.

    Raises
    ------
    WeightsInvalid
        The weights are not whole, or this image does not hold the engine, or what is named is none.
    GpuUnavailable
        The engine needs another GPU than this machine's.
    """
    if ":" in name:
        return _own(name, folder, revision)
    # An engine's libraries are imported only where it is chosen: an image holds one of them.
    if name == "lite":
        from gen3d_inference.engines.lite.lite_engine import LiteEngine

        return LiteEngine(folder, revision)
    if name in ("open", "sam"):
        try:
            return _of_torch(name, folder, revision)
        except ModuleNotFoundError as error:
            raise WeightsInvalid(
                f"This image does not hold the {name} engine ({error.name} is missing). Set "
                "GEN3D_ENGINE to lite, or deploy the image that holds it."
            ) from None
    raise WeightsInvalid(
        f"There is no engine {name!r}. Set GEN3D_ENGINE to lite, open or sam, or to "
        "package.module:Class of your own."
    )


def _own(name: str, folder: Path, revision: str | None) -> Engine:
    module, _, title = name.partition(":")
    try:
        made: Callable[[Path, str | None], Engine] = getattr(import_module(module), title)
    except (ImportError, AttributeError, ValueError) as error:
        raise WeightsInvalid(
            f"The engine {name!r} cannot be imported: {error}. Name it as package.module:Class, "
            "and put its package into the image."
        ) from None
    engine = made(folder, revision)
    missing = [each for each in _NEEDED if not hasattr(engine, each)]
    if missing:
        raise WeightsInvalid(
            f"{name!r} is no engine: it lacks {', '.join(missing)}. See "
            "gen3d_inference.engines.interface."
        )
    return engine


_NEEDED = ("name", "revision", "offers", "phases", "side", "initialize", "reconstruct", "works")
"""Of `Engine`."""


def _of_torch(name: str, folder: Path, revision: str | None) -> Engine:
    if name == "open":
        from gen3d_inference.engines.open.open_engine import OpenEngine

        return OpenEngine(folder, revision)
    from gen3d_inference.engines.sam.sam_engine import SamEngine

    return SamEngine(folder, revision)
