"""The engines under test, and real pictures."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from container.engine import Engine, Mask, load
from container.weights import check

ROOT = Path(__file__).parents[2]
WEIGHTS = {"lite": ROOT / "container" / "lite" / "weights"}
"""Engines that this machine can run → their weights; the contract's tests run on each."""


@pytest.fixture(scope="session", params=list(WEIGHTS.values()), ids=list(WEIGHTS))
def weights_folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture(scope="session")
def engine(weights_folder: Path) -> Engine:
    return load(check(weights_folder).engine, weights_folder)


@pytest.fixture(scope="session")
def lite_weights() -> Path:
    return WEIGHTS["lite"]


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
