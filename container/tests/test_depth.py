"""A depth map goes to an engine that takes one, in metres, and to no other."""

import asyncio
import io
import math
from collections.abc import Callable, Iterator

import boto3
import numpy as np
import pytest
from moto import mock_aws
from PIL import ExifTags, Image

from gen3d.contract import (
    InitializeRequest,
    InitializeResult,
    Pose,
    ReconstructRequest,
    ReconstructResult,
    Result,
)
from gen3d.errors import InputMissing, InvalidDepth
from gen3d.options import SEED_ALONE, EngineOptions
from gen3d_inference.engines.interface import (
    Depth,
    Embeddings,
    Engine,
    Gaussians,
    Mask,
    Shape,
    Tell,
    silent,
    takes,
)
from gen3d_inference.storage import Storage
from gen3d_inference.worker import Worker

SIZE = (400, 300)
SLOPE = np.linspace(400, 3000, 128 * 96).reshape(96, 128).astype(np.uint16)
POSE = Pose(rotation=(1, 0, 0, 0), translation=(0, 0, 2), scale=(0.4,) * 3)


class Plain:
    """An engine that goes by photo and mask alone."""

    name = "plain"
    revision = "0123456789ab"
    side = 64
    offers = SEED_ALONE
    phases: dict[str, float] = {}  # noqa: RUF012  as an engine has it

    def __init__(self, lite: Engine) -> None:
        self._lite = lite
        self.given: list[Depth | None] = []

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        return self._lite.initialize(photo, text)

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Shape, Pose | None]:
        self.given.append(None)
        tell("shape", 0.5)
        return _point(), POSE

    def works(self) -> bool:
        return True


class Measuring(Plain):
    """An engine that takes distances, too."""

    def reconstruct_by_depth(
        self, photo: Image.Image, mask: Mask, depth: Depth, options: EngineOptions, tell: Tell
    ) -> tuple[Shape, Pose | None]:
        self.given.append(depth)
        tell("shape", 0.5)
        return _point(), POSE.model_copy(update={"metric": True})


def _point() -> Gaussians:
    some = np.zeros((4, 3), np.float32)
    unturned = np.tile(np.array([1, 0, 0, 0], np.float32), (4, 1))
    return Gaussians(some, some, some[:, 0], some, unturned)


def photo(focal: int | None) -> bytes:
    exif = Image.Exif()
    if focal:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = focal
    file = io.BytesIO()
    Image.new("RGB", SIZE, "teal").save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.fixture
def put(
    png: Callable[[Image.Image], bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")

        def put(**files: bytes) -> None:
            for name, body in files.items():
                client.put_object(Bucket="bucket", Key=name, Body=body)

        mask = Image.new("L", SIZE)
        mask.paste(255, (100, 100, 200, 200))
        known = SLOPE.copy()
        known[:10] = 0
        put(photo=photo(26), mask=png(mask), depth=png(Image.fromarray(known)))
        yield put


def run(engine: Engine, request: InitializeRequest | ReconstructRequest) -> Result:
    async def scenario() -> Result:
        client = boto3.client("s3", region_name="us-east-1")
        worker = Worker(lambda: engine, Storage(client))
        await worker.start()
        return await worker.run(request, "")

    return asyncio.run(scenario())


def asked(*, depth: bool = True) -> ReconstructRequest:
    there = "s3://bucket/depth" if depth else None
    return ReconstructRequest(
        image="s3://bucket/photo", mask="s3://bucket/mask", output="s3://bucket/splat", depth=there
    )


def test_an_engine_that_takes_it_says_so(lite: Engine, put: object) -> None:
    request = InitializeRequest(image="s3://bucket/photo", output="s3://bucket/out")
    for engine, said in ((Plain(lite), ()), (Measuring(lite), ("depth",))):
        assert takes(engine) == said
        result = run(engine, request)
        assert isinstance(result, InitializeResult)
        assert result.takes == said
        assert ("takes" in result.model_dump(mode="json")) is bool(said)


def test_it_is_told_metres_and_what_the_lens_took_in(lite: Engine, put: object) -> None:
    engine = Measuring(lite)
    result = run(engine, asked())
    (depth,) = engine.given
    assert depth is not None
    assert depth.metres.dtype == np.float32
    assert np.isnan(depth.metres[:10]).all()
    np.testing.assert_allclose(depth.metres[10:], SLOPE[10:] / 1000, rtol=1e-6)
    assert depth.field_of_view == pytest.approx(2 * math.atan(0.8 * 43.2666 / 52), abs=1e-3)
    assert isinstance(result, ReconstructResult)
    assert result.pose is not None
    assert result.pose.metric
    assert result.model_dump(mode="json")["pose"]["metric"] is True


def test_a_photo_without_a_lens_says_none(lite: Engine, put: Callable[..., None]) -> None:
    put(photo=photo(None))
    engine = Measuring(lite)
    run(engine, asked())
    assert engine.given[0] is not None
    assert engine.given[0].field_of_view is None


def test_another_engine_leaves_it_and_does_not_fetch_it(
    lite: Engine, put: Callable[..., None]
) -> None:
    put(depth=b"no map")
    engine = Plain(lite)
    result = run(engine, asked())
    assert engine.given == [None]
    assert isinstance(result, ReconstructResult)
    assert result.pose == POSE
    assert "metric" not in result.model_dump(mode="json")["pose"]


def test_without_a_map_nothing_changes(lite: Engine, put: object) -> None:
    engine = Measuring(lite)
    run(engine, asked(depth=False))
    assert engine.given == [None]


def test_one_that_is_no_map_is_named(lite: Engine, put: Callable[..., None]) -> None:
    put(depth=b"no map")
    with pytest.raises(InvalidDepth, match="not a PNG"):
        run(Measuring(lite), asked())


def test_one_that_is_gone_is_named(lite: Engine, put: object) -> None:
    boto3.client("s3", region_name="us-east-1").delete_object(Bucket="bucket", Key="depth")
    with pytest.raises(InputMissing, match="depth map"):
        run(Measuring(lite), asked())


@pytest.mark.parametrize("size", [(300, 400), (96, 128), (50, 60)])
def test_what_is_known_of_an_object_is_a_share_of_its_pixels(size: tuple[int, int]) -> None:
    """A mask of another size than the map; the map knows its right half."""
    metres = np.full((96, 128), 2, np.float32)
    metres[:, :64] = np.nan
    mask = np.zeros(size, bool)
    mask[:, size[1] // 4 :] = True
    assert Depth(metres, None).known(mask) == pytest.approx(2 / 3, abs=0.02)
    mask[:, size[1] // 2 :] = False
    assert Depth(metres, None).known(mask) == 0
