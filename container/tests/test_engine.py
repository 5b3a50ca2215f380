"""What every engine has to do; see `gen3d_inference.engines.interface`."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from container.tests import own
from gen3d.contract import Pose
from gen3d.errors import InvalidRequest, WeightsInvalid
from gen3d.options import EngineOptions, OneOf
from gen3d.ply import SH_C0
from gen3d_inference import mesh_writer, ply_writer
from gen3d_inference.embeddings import pack, restored
from gen3d_inference.engines.choice import ENGINES, load
from gen3d_inference.engines.interface import Engine, Gaussians, Mask, Shape
from gen3d_inference.weights import check


def to_camera(pose: Pose, points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Apply a pose as `gen3d.contract.Pose` states it."""
    w, x, y, z = pose.rotation
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    camera: NDArray[np.float64] = np.asarray(pose.scale) * (points @ rotation.T)
    camera += pose.translation
    return camera


def points(shape: Shape) -> NDArray[np.float32]:
    """Centres of gaussians, or a mesh's vertices."""
    return shape.xyz if isinstance(shape, Gaussians) else shape.vertices


def packed(shape: Shape) -> bytes:
    """The file that is written."""
    return ply_writer.pack(shape) if isinstance(shape, Gaussians) else mesh_writer.pack(shape)


def gaussians_of(made: tuple[Shape, Pose | None]) -> Gaussians:
    """Of an engine that is known to make some."""
    assert isinstance(made[0], Gaussians)
    return made[0]


def test_revision_is_that_of_the_weights(engine: Engine, weights_folder: Path) -> None:
    assert engine.revision == check(weights_folder).revision


def test_another_revision_is_refused(engine: Engine, weights_folder: Path) -> None:
    with pytest.raises(WeightsInvalid, match=f"{engine.revision}, not 000000000000"):
        load(own.loaded_as(engine.name), weights_folder, "000000000000")


def test_weights_of_another_engine_are_refused(engine: Engine, weights_folder: Path) -> None:
    other = next(name for name in ENGINES if name != engine.name)
    with pytest.raises(WeightsInvalid, match=other):
        load(other, weights_folder)


def test_an_unknown_engine_is_named(weights_folder: Path) -> None:
    with pytest.raises(WeightsInvalid, match="no engine 'big'"):
        load("big", weights_folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.at.all:Engine", "'nowhere.at.all:Engine' cannot be imported"),
        ("pathlib:Engine", "cannot be imported"),
        (":Engine", "cannot be imported"),
        ("pathlib:Path", "is no engine: it lacks revision, offers, phases, side"),
    ],
)
def test_an_engine_of_one_s_own_that_is_none_is_named(
    lite_weights: Path, name: str, said: str
) -> None:
    with pytest.raises(WeightsInvalid, match=said):
        load(name, lite_weights, "x")


def test_embeddings_say_what_they_are(engine: Engine, coffee: Image.Image) -> None:
    embeddings = engine.initialize(coffee)
    meta = embeddings.meta
    assert (meta.engine, meta.revision) == (engine.name, engine.revision)
    assert (meta.image_width, meta.image_height) == ("600", "400")
    assert "image_embed" in embeddings.tensors
    for name in embeddings.tensors:
        assert name.startswith(("image_embed", "high_res"))
        if name.endswith(("_scale", "_offset", "_basis")):
            continue
        tensor = restored(dict(embeddings.tensors), name)
        assert tensor.shape[0] == 1
        assert np.isfinite(tensor).all()
        assert tensor.astype(np.float32).std() > 0
    assert embeddings.candidates is None
    assert pack(embeddings)


def test_embeddings_are_the_photo_s(engine: Engine, coffee: Image.Image) -> None:
    """The same for the same photo, others for another, and never changed by the next job."""
    first = engine.initialize(coffee).tensors
    kept = {name: tensor.copy() for name, tensor in first.items()}
    other = engine.initialize(coffee.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).tensors
    again = engine.initialize(coffee).tensors
    for name, tensor in kept.items():
        assert np.array_equal(first[name], tensor)
        assert np.array_equal(again[name], tensor)
        assert not np.array_equal(other[name], tensor)


@pytest.mark.parametrize("size", [(32, 32), (1, 3000), (2500, 40)])
def test_any_shape_of_photo_is_taken(engine: Engine, size: tuple[int, int]) -> None:
    embeddings = engine.initialize(Image.effect_noise(size, 60).convert("RGB"))
    assert (embeddings.meta.image_width, embeddings.meta.image_height) == tuple(map(str, size))
    assert pack(embeddings)


def test_an_engine_that_cannot_read_says_so(lite: Engine, coffee: Image.Image) -> None:
    with pytest.raises(InvalidRequest, match="clicks only"):
        lite.initialize(coffee, "cup")


def test_what_is_offered_can_be_asked_for(engine: Engine) -> None:
    """And how long an object takes is said of each quality, the standard one among them."""
    for name, offered in engine.offers.items():
        ends = offered.values if isinstance(offered, OneOf) else (offered.minimum, offered.maximum)
        for value in ends:
            assert getattr(EngineOptions.model_validate({name: value}), name) == value
    qualities = engine.offers["quality"]
    assert isinstance(qualities, OneOf)
    assert qualities.seconds.keys() == set(qualities.values) >= {"standard"}


def test_each_phase_is_told_in_its_order_from_its_begin_to_its_end(
    reconstructor: Engine, coffee: Image.Image, cup: Mask
) -> None:
    """And what is told else, as that networks are loaded, comes before."""
    told: list[tuple[str, float]] = []
    reconstructor.reconstruct(coffee, cup, EngineOptions(), lambda *far: told.append(far))
    phases = list(reconstructor.phases)
    assert list(dict.fromkeys(phase for phase, _ in told if phase in phases)) == phases
    assert {phase for phase, _ in told} - {*phases} <= {"loading"}
    for phase in phases:
        done = [fraction for name, fraction in told if name == phase]
        assert (done[0], done[-1]) == (0, 1)
        assert done == sorted(done)


def test_what_is_made_fills_the_canonical_frame(
    reconstructor: Engine, coffee: Image.Image, cup: Mask
) -> None:
    shape, _ = reconstructor.reconstruct(coffee, cup, EngineOptions())
    assert len(points(shape)) > 10_000
    assert abs(points(shape)).max() <= 0.5 + 1e-4
    assert np.ptp(points(shape), axis=0).max() > 0.8


def test_gaussians_are_of_the_documented_form(
    reconstructor: Engine, coffee: Image.Image, cup: Mask
) -> None:
    gaussians, _ = reconstructor.reconstruct(coffee, cup, EngineOptions())
    if not isinstance(gaussians, Gaussians):
        pytest.skip("it makes meshes")
    for values, columns in (
        (gaussians.xyz, 3),
        (gaussians.f_dc, 3),
        (gaussians.scale, 3),
        (gaussians.rotation, 4),
    ):
        assert values.shape == (len(gaussians), columns)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert gaussians.opacity.shape == (len(gaussians),)
    assert np.exp(gaussians.scale).max() < 0.1


def test_a_mesh_is_of_the_documented_form(
    reconstructor: Engine, coffee: Image.Image, cup: Mask
) -> None:
    """Its faces look outward, -Y is its front, and its picture is there the photo."""
    mesh, _ = reconstructor.reconstruct(coffee, cup, EngineOptions())
    if isinstance(mesh, Gaussians):
        pytest.skip("it makes splats")
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    assert (a * np.cross(b, c)).sum() > 0
    front = np.cross(b - a, c - a)[:, 1] < 0
    place = mesh.uv[mesh.faces[front]].mean(1) * mesh.color.shape[1::-1]
    seen = mesh.color[tuple(place.astype(int).T[::-1])]
    x, _, z = mesh.vertices[mesh.faces[front]].mean(1).T
    rows, columns = np.nonzero(cup)
    u = np.interp(x, (x.min(), x.max()), (columns.min(), columns.max())).astype(int)
    v = np.interp(-z, (-z.max(), -z.min()), (rows.min(), rows.max())).astype(int)
    off = np.abs(seen / 255 - np.asarray(coffee)[v, u] / 255).mean(1)
    assert np.median(off) < 0.05


def test_a_tall_object_stands_along_z(trained: Engine) -> None:
    """A grey bar: a piece of a table would be laid down, as the table lies."""
    grey = Image.new("RGB", (600, 400), (128, 128, 128))
    mask = np.zeros((400, 600), bool)
    mask[40:360, 250:330] = True
    gaussians = gaussians_of(trained.reconstruct(grey, mask, EngineOptions()))
    width, _, height = np.ptp(gaussians.xyz, axis=0)
    assert height > 2.5 * width


def test_a_pose_is_a_place_before_the_camera(
    reconstructor: Engine, coffee: Image.Image, cup: Mask
) -> None:
    """Where the engine finds one out; the others have no camera, and say none."""
    shape, pose = reconstructor.reconstruct(coffee, cup, EngineOptions())
    assert (pose is None) == (reconstructor.name == "cushion")
    assert pose or "seeds" not in reconstructor.offers  # which nothing else tells apart
    if pose is not None:
        assert np.linalg.norm(pose.rotation) == pytest.approx(1, abs=1e-5)
        assert min(pose.scale) > 0
        assert np.isfinite(to_camera(pose, points(shape))).all()
        assert pose.translation[2] > 0


@pytest.mark.parametrize("at", ["where it was", "in a corner"])
def test_before_the_photos_camera_it_covers_its_mask(
    trained: Engine, coffee: Image.Image, cup: Mask, at: str
) -> None:
    """Also far from the photo's middle, where a camera sees more of an object's side."""
    if at == "in a corner":
        wide = Image.new("RGB", (1400, 1100), (128, 128, 128))
        wide.paste(coffee, (0, 0))
        coffee, cup = wide, np.pad(cup, ((0, 700), (0, 800)))
    shape, pose = trained.reconstruct(coffee, cup, EngineOptions())
    assert pose is not None
    assert pose.field_of_view is not None
    x, y, z = to_camera(pose, points(shape)).T
    focal = max(coffee.size) / 2 / np.tan(pose.field_of_view / 2)
    drawn = np.zeros_like(cup)
    columns, rows = coffee.width / 2 - focal * x / z, coffee.height / 2 - focal * y / z
    drawn[rows.astype(int), columns.astype(int)] = True
    drawn = ndimage.binary_closing(drawn, iterations=4)
    assert (drawn & cup).sum() / (drawn | cup).sum() > 0.9


def test_the_front_wears_the_photo(trained: Engine, coffee: Image.Image, cup: Mask) -> None:
    """Seen from some height in front of it, each pixel has about its colour in the photo."""
    gaussians = gaussians_of(trained.reconstruct(coffee, cup, EngineOptions()))
    rows, columns = np.nonzero(cup)

    def seen_from(elevation: float) -> tuple[float, float]:
        """The median difference of colours, and the share of the object that is drawn at all."""
        x, y, z = gaussians.xyz.T
        forward = 4 + y * np.cos(elevation) - z * np.sin(elevation)
        right, down = x / forward, (-z * np.cos(elevation) - y * np.sin(elevation)) / forward
        u = np.interp(right, (right.min(), right.max()), (columns.min(), columns.max()))
        v = np.interp(down, (down.min(), down.max()), (rows.min(), rows.max()))
        seen = np.zeros((400, 600, 3))
        order = np.argsort(-forward)
        seen[v.astype(int)[order], u.astype(int)[order]] = 0.5 + SH_C0 * gaussians.f_dc[order]
        drawn = cup & seen.any(2)
        difference = np.abs(seen - np.asarray(coffee) / 255).mean(2)
        return float(np.median(difference[drawn])), drawn.sum() / cup.sum()

    difference, drawn = min(map(seen_from, np.radians(range(-20, 71, 5))))
    assert difference < 0.05
    assert drawn > 0.9


def test_the_same_seed_gives_the_same_bytes(
    reconstructor: Engine, coffee: Image.Image, cup: Mask
) -> None:
    first, second, other = (
        packed(reconstructor.reconstruct(coffee, cup, EngineOptions(seed=seed))[0])
        for seed in (7, 7, 8)
    )
    assert first == second
    assert first != other


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 400), slice(0, 599)),
        (slice(0, 4), slice(0, 4)),
        (slice(396, 400), slice(100, 500)),
        (slice(0, 400), slice(590, 600)),
    ],
    ids=["nearly all", "a corner", "a flat strip", "a tall strip"],
)
def test_extreme_masks_are_taken(
    reconstructor: Engine, coffee: Image.Image, region: tuple[slice, slice]
) -> None:
    mask = np.zeros((400, 600), bool)
    mask[region] = True
    shape, _ = reconstructor.reconstruct(coffee, mask, EngineOptions())
    assert packed(shape)


def test_lite_completes_what_is_hidden(lite: Engine, coffee: Image.Image, cup: Mask) -> None:
    rows, columns = np.nonzero(cup)
    top, middle = np.percentile(rows, 50), np.percentile(columns, 50)
    mask = cup.copy()
    mask[int(top) :, int(middle) - 20 : int(middle) + 20] = False
    whole = gaussians_of(lite.reconstruct(coffee, cup, EngineOptions()))
    completed = gaussians_of(lite.reconstruct(coffee, mask, EngineOptions()))

    def in_the_gap(xyz: NDArray[np.float32]) -> int:
        return int(((abs(xyz[:, 0]) < 0.04) & (xyz[:, 2] < -0.15)).sum())

    assert in_the_gap(completed.xyz) > 0.3 * in_the_gap(whole.xyz) > 0
