"""The engines under test, and real pictures."""

import io
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from container.tests import own
from gen3d_inference.engines.choice import ENGINES, load
from gen3d_inference.engines.interface import Engine, Mask
from gen3d_inference.weights import check

ROOT = Path(__file__).parents[2]
LITE = ROOT / "container" / "weights" / "lite"


@pytest.fixture(scope="session", params=(*ENGINES, *own.CLASSES))
def weights_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Weights of each engine that this environment can run; the contract's tests run on each."""
    if request.param == "lite":
        return LITE
    name: str = request.param
    if name == "cushion":
        return own.seal_cushion(tmp_path_factory.mktemp(name) / "weights")
    pytest.importorskip("torch", reason=f"the {name} engine's tests run in .venvs/torch")
    import_module("container.tests.sam.conftest")  # has torchvision imported
    folder = tmp_path_factory.mktemp(name) / "weights"
    import_module(f"container.tests.{name}.tiny").write_engine(folder)
    return folder


@pytest.fixture(scope="session")
def engine(weights_folder: Path) -> Iterator[Engine]:
    """The engine, on the CPU."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GEN3D_DEVICE", "cpu")
        name = check(weights_folder).engine
        if name == "open":
            tiny = import_module("container.tests.open.tiny")
            tiny.use_code(weights_folder.parent / "code", environment)
        yield load(own.loaded_as(name), weights_folder)


@pytest.fixture(scope="session")
def reconstructor(engine: Engine) -> Engine:
    """The engine, where it can reconstruct here."""
    if engine.name == "sam":
        pytest.skip(
            "SAM 3D Objects needs a GPU and its weights; container/tests/sam/objects has its parts"
        )
    return engine


@pytest.fixture(scope="session")
def trained(reconstructor: Engine) -> Engine:
    """The engine, where what it reconstructs can be known: its weights are the real ones."""
    if reconstructor.name != "lite":
        pytest.skip("the others' weights are random here")
    return reconstructor


@pytest.fixture(scope="session")
def lite_weights() -> Path:
    return LITE


@pytest.fixture(scope="session")
def lite(lite_weights: Path) -> Engine:
    return load("lite", lite_weights)


@pytest.fixture(scope="session")
def coffee() -> Image.Image:
    """A cup on a saucer, 600×400."""
    return Image.fromarray(skimage.data.coffee())


@pytest.fixture(scope="session")
def cup(coffee: Image.Image) -> Mask:
    """Roughly the cup in `coffee`, drawn by hand: wider than high."""
    y, x = np.mgrid[: coffee.height, : coffee.width]
    rim = ((x - 290) / 123) ** 2 + ((y - 80) / 72) ** 2 < 1
    body = (abs(x - 290) < 118 - (y - 80) * 0.3) & (y > 80) & (y < 260)
    cup: Mask = rim | body
    return cup


@pytest.fixture(scope="session")
def png() -> Callable[[Image.Image | NDArray[np.bool_]], bytes]:
    """Encode a photo or a mask as PNG."""

    def encode(picture: Image.Image | NDArray[np.bool_]) -> bytes:
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture.astype(np.uint8) * 255)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return buffer.getvalue()

    return encode
