"""A few steps of each training on the CPU, cut off and continued, and the exported files."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training's tests run in .venvs/torch")
onnxruntime = pytest.importorskip("onnxruntime")

from gen3d_lite_training import families  # noqa: E402
from gen3d_lite_training.export import (  # noqa: E402
    ExportedDecoder,
    export_masks,
    export_reconstruction,
    prefer_whole,
)
from gen3d_lite_training.losses import answer_loss, mask_loss, score_loss, surface_loss  # noqa: E402
from gen3d_lite_training.networks import (  # noqa: E402
    LIGHT,
    DecoderSize,
    Features,
    MaskDecoder,
    MaskNetworks,
    Reconstruction,
)
from gen3d_lite_training.networks.blocks import pooled  # noqa: E402
from gen3d_lite_training.optimiser import Plan, train  # noqa: E402
from gen3d_lite_training.renderer import Renderer  # noqa: E402
from gen3d_lite_training.train_decoder import inherit, train_decoder  # noqa: E402
from gen3d_lite_training.train_masks import MaskSettings, train_masks  # noqa: E402
from gen3d_lite_training.train_reconstruction import ReconstructionSettings, train_reconstruction  # noqa: E402
from gen3d_lite_training.views import random_views  # noqa: E402
from gen3d_lite_training.warm_start import restore, warm_start  # noqa: E402

Masks: TypeAlias = tuple[MaskNetworks, Path, Path]
CPU = torch.device("cpu")
torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore")


def test_training_goes_on_as_if_it_had_not_been_cut_off(tmp_path: Path) -> None:
    def run(checkpoint: Path, seconds: float | None) -> tuple[bool, Any]:
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.Linear(16, 1))

        def draw(step: int) -> tuple[Any]:
            return (torch.randn(16, 16),)

        def loss(batch: tuple[Any]) -> tuple[Any, dict[str, Any]]:
            error = (network(batch[0] + 0.1 * torch.randn(16, 16)) - 1).square().mean()
            return error, {"error": error}

        done = train(network, Plan(8, warm_up=2), draw, loss, checkpoint, seconds, lambda _: None)
        return done, network[0].weight.detach().clone()

    assert run(tmp_path / "whole.pt", None)[0]
    whole = torch.load(tmp_path / "whole.pt", weights_only=True)["network"]["0.weight"]
    assert not run(tmp_path / "cut.pt", 0.0)[0]
    while not run(tmp_path / "cut.pt", 0.0)[0]:
        pass
    assert torch.equal(
        torch.load(tmp_path / "cut.pt", weights_only=True)["network"]["0.weight"], whole
    )


def test_mask_loss_is_least_for_the_right_mask() -> None:
    target = torch.zeros(1, 1, 16, 16)
    target[..., 4:12, 4:12] = 1
    right = (target * 2 - 1) * 8
    logits = torch.cat([right, -right, torch.zeros_like(right)], 1)
    loss, iou = mask_loss(logits, target)
    assert loss.argmin(1).item() == 0
    assert iou[0, 0] == pytest.approx(1)
    assert iou[0, 1] == pytest.approx(0)
    good, bad = torch.tensor([[0.9, 0.1, 0.2]]), torch.tensor([[0.1, 0.9, 0.2]])
    assert score_loss(good, iou).item() < score_loss(bad, iou).item()


def test_answer_loss_is_least_for_the_same_answer() -> None:
    torch.manual_seed(0)
    wanted, scores = 3 * torch.randn(2, 3, 16, 16), torch.rand(2, 3)
    same, alike = answer_loss(wanted, scores, wanted, scores)
    assert alike.tolist() == [1, 1]
    best = scores.argmax(1)
    for step in (-0.5, 0.5):
        assert (answer_loss(wanted + step, scores, wanted, scores)[0] > same).all()
        assert (
            answer_loss(wanted, scores + 0.2 * step * wanted[:, :, 0, 0], wanted, scores)[0] > same
        ).all()
    turned = wanted.clone()
    turned[range(2), best] *= -1
    assert answer_loss(turned, scores, wanted, scores)[1].max() < 1e-3


def _losses(lines: list[str]) -> list[float]:
    return [float(line.split("loss ")[1].split()[0]) for line in lines]


def test_masks_learn(tmp_path: Path) -> None:
    lines: list[str] = []
    settings = MaskSettings(
        Plan(30, warm_up=2), 32, 32, images_small=4, images_large=4, targets=2, objects=64
    )
    networks = train_masks(
        settings, CPU, tmp_path / "masks.pt", compiled=False, on_log=lines.append, processes=1
    )
    first, *_, last = _losses(lines)
    assert last < 0.8 * first
    assert not networks.training


def test_a_light_decoder_learns_of_a_full_one_whose_encoder_it_keeps(tmp_path: Path) -> None:
    start = Path("container/weights/lite")
    settings = MaskSettings(
        Plan(8, warm_up=2), 32, 64, images_large=2, targets=2, objects=16, start=start
    )
    lines: list[str] = []
    networks = train_decoder(
        settings, CPU, tmp_path / "decoder.pt", compiled=False, on_log=lines.append, processes=1
    )
    full = MaskNetworks()
    restore(full, [start / "encoder.onnx", start / "decoder.onnx"])
    kept, given = full.encoder.state_dict(), networks.encoder.state_dict()
    assert all(torch.equal(value, given[name]) for name, value in kept.items())
    assert len(networks.decoder.blocks) == LIGHT.depth
    assert "same1" in lines[0]
    saved = torch.load(tmp_path / "decoder.pt", weights_only=True)
    assert set(saved["network"]) == set(networks.decoder.state_dict())
    with pytest.raises(ValueError, match="folder"):
        train_decoder(MaskSettings(Plan(1)), CPU, tmp_path / "none.pt")


def test_a_light_decoder_begins_with_what_fits_of_the_full_one() -> None:
    full, light = MaskDecoder(), MaskDecoder(LIGHT)
    inherit(light, full)
    for ours, theirs in ((0, 0), (1, 2)):
        assert torch.equal(light.blocks[ours].widen.weight, full.blocks[theirs].widen.weight)
    assert torch.equal(light.point.weight, full.point.weight)
    assert light.fine.first[0].weight.shape != full.fine.first[0].weight.shape


def test_reconstruction_learns(tmp_path: Path) -> None:
    lines: list[str] = []
    settings = ReconstructionSettings(Plan(30, warm_up=2), 32, images=4, objects=64)
    train_reconstruction(
        settings, CPU, tmp_path / "solid.pt", compiled=False, on_log=lines.append, processes=1
    )
    first, *_, last = _losses(lines)
    assert last < 0.95 * first


def test_the_camera_s_elevation_is_learnt_from_objects_that_stand() -> None:
    torch.manual_seed(0)
    views = random_views(Renderer(families.pool(8, seed=1, processes=1), CPU), 2, 32, samples=1)
    views = views._replace(standing=torch.tensor([True, False]))
    surface, hidden = torch.zeros(2, 5, 32, 32), torch.zeros(2, 4, 32, 32)
    for off, expected in (((0.3, 0.0), 0.3), ((0.0, 0.3), 0.0)):
        loss = surface_loss(surface, hidden, views.elevation + torch.tensor(off), views)
        assert loss.elevation.item() == pytest.approx(expected, abs=1e-6)
    none = views._replace(standing=torch.tensor([False, False]))
    assert surface_loss(surface, hidden, views.elevation + 1, none).elevation.item() == 0


def test_an_image_s_tokens_are_pooled_and_the_others_kept() -> None:
    row = torch.arange(4.0)
    image = (row[:, None] * 10 + row).flatten()[None, :, None]
    others = torch.tensor([[[-1.0], [-2.0]]])
    small = pooled(torch.cat([others, image], 1), 4, 4, others=2)
    assert small.flatten().tolist() == [-1, -2, 5.5, 7.5, 25.5, 27.5]


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        pytest.param([0.1, 0.7, 0.8], [1], [0, 0.7, 0.66], id="a little less sure"),
        pytest.param([0.1, 0.6, 0.8], [1], [0, 0.74, 0.8], id="much less sure"),
        pytest.param([0.1, 0.7, 0.8], [2, 3, 0, 1, -1], [0, 0.7, 0.66], id="one click more"),
        pytest.param([0.1, 0.7, 0.8], [1, 0], [0.1, 0.7, 0.8], id="something taken away"),
        pytest.param([0.1, 0.7, 0.8], [2, 3], [0.1, 0.7, 0.8], id="a box"),
    ],
)
def test_a_whole_is_preferred_to_a_part(
    scores: list[float], labels: list[float], expected: list[float]
) -> None:
    masks = torch.full((1, 3, 10, 10), -1.0)
    masks[0, 1] = 1
    masks[0, 2, 0] = 1
    found = prefer_whole(torch.tensor([scores]), masks, torch.tensor([labels]).float())
    assert found[0].tolist() == pytest.approx(expected, abs=5e-3)


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Masks:
    torch.manual_seed(0)
    networks = MaskNetworks(encoder_depth=1, decoder=DecoderSize(depth=1)).eval()
    return networks, *export_masks(networks, tmp_path_factory.mktemp("weights"))


@pytest.mark.parametrize("count", [1, 4])
def test_exported_masks_answer_like_torch(masks: Masks, count: int) -> None:
    networks, encoder_path, decoder_path = masks
    photo = torch.rand(1, 3, 448, 448)
    with torch.no_grad():
        features = networks(photo)
    session = onnxruntime.InferenceSession(encoder_path)
    answers = session.run(list(Features._fields), {"image": photo.numpy()})
    for answer, feature in zip(answers, features, strict=True):
        assert np.abs(answer - feature.numpy()).max() < 0.02
    points = torch.rand(1, count, 2) * 448
    labels = torch.tensor([[1.0, 0.0, 2.0, 3.0]])[:, :count]
    rest = (torch.randn(1, 1, 112, 112), torch.ones(1))
    with torch.no_grad():
        wanted = ExportedDecoder(networks.decoder)(*features, points, labels, *rest)
    session = onnxruntime.InferenceSession(decoder_path)
    inputs = dict(
        zip(
            [entry.name for entry in session.get_inputs()],
            [value.numpy() for value in (*features, points, labels, *rest)],
            strict=True,
        )
    )
    found = session.run(["masks", "iou_scores"], inputs)
    assert found[0].shape == (1, 3, 224, 224)
    for answer, truth in zip(found, wanted, strict=True):
        assert np.abs(answer - truth.numpy()).max() < 0.02


def test_exported_reconstruction_answers_like_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Reconstruction((8, 16, 24, 32, 64), depth=1).eval()
    path = export_reconstruction(network, tmp_path)
    crop = torch.rand(1, 4, 256, 256)
    with torch.no_grad():
        wanted = network(crop)
    found = onnxruntime.InferenceSession(path).run(
        ["surface", "hidden", "elevation"], {"rgba": crop.numpy()}
    )
    assert found[0].shape == (1, 5, 256, 256)
    assert found[1].shape == (1, 4, 256, 256)
    assert found[2].shape == (1,)
    for answer, truth in zip(found, wanted, strict=True):
        assert np.abs(answer - truth.numpy()).max() < 0.02


def test_exported_networks_are_trained_on(masks: Masks, tmp_path: Path) -> None:
    networks, encoder_path, decoder_path = masks
    photo = torch.rand(2, 3, 64, 64)
    points, labels = torch.rand(2, 2, 2), torch.ones(2, 2)

    def answer(one: MaskNetworks) -> Any:
        rest = (points, labels, torch.zeros(2, 1, 16, 16), torch.zeros(2))
        return one.decoder(one(photo), *rest)[0]

    fresh = MaskNetworks(encoder_depth=1, decoder=DecoderSize(depth=1))
    with torch.no_grad():
        wanted = answer(networks)
        warm_start(fresh, [encoder_path, decoder_path], lambda: answer(fresh))
        assert fresh.training
        # Where a batch norm sees what it saw, it changes nothing.
        assert (answer(fresh) - wanted).abs().mean() < 0.02 * wanted.abs().mean()
        assert (answer(fresh.eval()) - wanted).abs().mean() < 0.02 * wanted.abs().mean()


def test_networks_of_another_shape_are_no_start(masks: Masks) -> None:
    _, encoder_path, decoder_path = masks
    deeper = MaskNetworks(encoder_depth=2, decoder=DecoderSize(depth=1))
    with pytest.raises(ValueError, match=r"encoder\.blocks\.1"):
        warm_start(deeper, [encoder_path, decoder_path], lambda: None)
