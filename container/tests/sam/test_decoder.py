"""The decoder against the library's own model, and its file against the decoder."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from container.tests.sam import tiny
from container.tests.sam.tiny import GRID, SIDE, WIDTH
from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.parts import decoder as decoder_module
from gen3d_inference.engines.parts import decoder_export
from gen3d_inference.engines.parts.decoder import NAMES, OUTPUTS, MaskDecoder, as_tokens
from gen3d_inference.engines.parts.decoder_export import to_onnx
from gen3d_inference.engines.parts.precision import Storing, store
from gen3d_inference.engines.sam import export
from gen3d_inference.engines.sam.__main__ import main
from gen3d_inference.mask_decoder import photo_inputs

Exported: TypeAlias = tuple[onnxruntime.InferenceSession, MaskDecoder]

pytestmark = pytest.mark.filterwarnings("ignore")
PROMPT = ["point_coords", "point_labels", "mask_input", "has_mask_input"]


@pytest.fixture(scope="module")
def tracker() -> Any:
    return tiny.tracker()


@pytest.fixture(scope="module")
def decoder(tracker: Any) -> MaskDecoder:
    return MaskDecoder(tracker)


@pytest.fixture(scope="module")
def exported(tracker: Any) -> Exported:
    """A decoder's file, and the decoder with its parameters rounded as in the file."""
    decoder = MaskDecoder(tracker)
    file = to_onnx(decoder, "sam", "SAM License")
    return onnxruntime.InferenceSession(file), decoder


def embeddings() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    shapes = ((WIDTH, GRID), (WIDTH // 8, 4 * GRID), (WIDTH // 4, 2 * GRID))
    return {
        name: torch.randn((1, channels, side, side), generator=random)
        for name, (channels, side) in zip(NAMES, shapes, strict=True)
    }


def tokens() -> dict[str, Tensor]:
    return {name: as_tokens(image, GRID) for name, image in embeddings().items()}


def prompt(labels: list[int], mask: bool, seed: int = 2) -> tuple[Tensor, ...]:
    random = torch.Generator().manual_seed(seed)
    return (
        torch.rand((1, len(labels), 2), generator=random) * SIDE,
        torch.tensor([labels], dtype=torch.int32),
        torch.randn((1, 1, 4 * GRID, 4 * GRID), generator=random) * 4,
        torch.tensor([float(mask)]),
    )


def of_the_library(tracker: Any, labels: list[int], mask: bool) -> tuple[Tensor, Tensor, Tensor]:
    """All four tokens' answers, put together from the model's two ways to answer."""
    points, marks, logits, _ = prompt(labels, mask)
    corners = (marks[0] >= 2).nonzero()[:, 0]
    clicks = (marks[0] < 2).nonzero()[:, 0]
    image_embed, high_res_0, high_res_1 = embeddings().values()
    asked: dict[str, Any] = {"image_embeddings": [high_res_0, high_res_1, image_embed]}
    if len(corners):
        asked["input_boxes"] = points[:, corners].reshape(1, 1, 4)
    if len(clicks):
        asked["input_points"] = points[:, None, clicks]
        asked["input_labels"] = marks[:, None, clicks]
    if mask:
        asked["input_masks"] = logits
    tracker.mask_decoder.dynamic_multimask_via_stability = False
    with torch.inference_mode():
        several = tracker(**asked, multimask_output=True)
        one = tracker(**asked, multimask_output=False)
    return (
        torch.cat([one.pred_masks, several.pred_masks], 2)[:, 0],
        torch.cat([one.iou_scores, several.iou_scores], 2)[:, 0],
        one.object_score_logits[:, 0],
    )


def decode(session: onnxruntime.InferenceSession, feeds: dict[str, Any]) -> list[NDArray[Any]]:
    answer: list[NDArray[Any]] = session.run(
        OUTPUTS, {name: np.asarray(value) for name, value in feeds.items()}
    )
    return answer


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize(
    "labels", [[1], [0], [1, 0], [2, 3], [2, 3, 1], [2, 3, 0, 1, 1], [1, 0] * 16], ids=str
)
def test_it_answers_as_the_library_does(
    tracker: Any,
    decoder: MaskDecoder,
    labels: list[int],
    mask: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for the approximation of its activation, of which the next test says how good it is."""
    monkeypatch.setattr(decoder_module, "_gelu", functional.gelu)
    with torch.inference_mode():
        answers = decoder(*tokens().values(), *prompt(labels, mask))
    expected = of_the_library(tracker, labels, mask)
    assert answers[0].shape == (1, 4, 4 * GRID, 4 * GRID)
    assert (answers[0] > 0).float().mean() not in (0, 1)
    for ours, theirs in zip(answers, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_its_approximation_changes_hardly_a_pixel(tracker: Any, decoder: MaskDecoder) -> None:
    with torch.inference_mode():
        ours = decoder(*tokens().values(), *prompt([1, 0], False))[0] > 0
    theirs = of_the_library(tracker, [1, 0], False)[0] > 0
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.99


def test_an_earlier_mask_is_considered_only_where_there_is_one(decoder: MaskDecoder) -> None:
    image = tokens().values()
    points, labels, logits, _ = prompt([1], True)
    without = decoder(*image, points, labels, logits, torch.zeros(1))[0]
    with_one = decoder(*image, points, labels, logits, torch.ones(1))[0]
    other = decoder(*image, points, labels, -logits, torch.zeros(1))[0]
    assert torch.equal(without, other)
    assert (with_one - without).abs().max() > 0.01


def test_logits_of_an_earlier_mask_are_kept_within_bounds(decoder: MaskDecoder) -> None:
    image = tokens().values()
    points, labels, logits, has = prompt([1], True)
    far = decoder(*image, points, labels, logits.sign() * 1000, has)[0]
    near = decoder(*image, points, labels, logits.sign() * 32, has)[0]
    assert torch.equal(far, near)


def test_the_tracker_stays_as_it_was(tracker: Any, decoder: MaskDecoder) -> None:
    assert hasattr(tracker.mask_decoder, "conv_s0")
    assert hasattr(tracker.prompt_encoder, "mask_embed")
    assert all(parameter.requires_grad is False for parameter in decoder.parameters())


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("count", range(1, 33))
def test_the_file_answers_any_number_of_points(exported: Exported, count: int, mask: bool) -> None:
    session, decoder = exported
    labels = ([2, 3] if count % 3 == 0 else []) + [1, 0] * 16
    inputs = prompt(labels[:count], mask, seed=count)
    answers = decode(session, {**tokens(), **dict(zip(PROMPT, inputs, strict=True))})
    with torch.inference_mode():
        expected = decoder(*tokens().values(), *inputs)
    for ours, theirs in zip(answers, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-4, atol=1e-4)


def test_the_file_selects_what_the_library_does(tracker: Any, exported: Exported) -> None:
    """With halved parameters, and embeddings that were stored, against neither."""
    session, _ = exported
    for precision, agreement in (("fp32", 0.995), ("fp16", 0.995), ("u8", 0.97)):
        kept = store(embeddings(), Storing(precision, tokens=True))  # type: ignore[arg-type]
        file = photo_inputs(session, {name: tensor.numpy() for name, tensor in kept.items()})
        for labels, mask in (([1], False), ([1, 0, 1], True), ([2, 3], False)):
            feeds = dict(zip(PROMPT, prompt(labels, mask), strict=True))
            ours = decode(session, {**file, **feeds})[0] > 0
            theirs = of_the_library(tracker, labels, mask)[0].numpy() > 0
            assert (ours & theirs).sum() / (ours | theirs).sum() > agreement, precision


def test_a_point_that_is_none_would_change_the_mask(exported: Exported) -> None:
    """So none may be added; that none is, the tests above would show."""
    session, _ = exported
    points, labels, *mask = prompt([1], False)
    feeds = {**tokens(), **dict(zip(PROMPT[2:], mask, strict=True))}
    alone = decode(session, {**feeds, "point_coords": points, "point_labels": labels})
    padded = decode(
        session,
        {
            **feeds,
            "point_coords": torch.cat([points, torch.zeros(1, 6, 2)], 1),
            "point_labels": torch.cat([labels, torch.full((1, 6), -1, dtype=torch.int32)], 1),
        },
    )
    assert np.abs(alone[0] - padded[0]).max() > 0.01


def test_the_file_says_what_it_is(exported: Exported) -> None:
    session, _ = exported
    about = session.get_modelmeta().custom_metadata_map
    assert {name: about[name] for name in ("engine", "layout", "license")} == {
        "engine": "sam",
        "layout": "tokens",
        "license": "SAM License",
    }
    assert len(about["source_revision"]) == 12
    declared = {each.name: (each.type, each.shape) for each in session.get_inputs()}
    assert declared["image_embed"] == ("tensor(float)", [1, GRID**2, WIDTH])
    assert declared["point_labels"] == ("tensor(int32)", [1, "points"])


def test_the_revision_is_the_parameters(tracker: Any) -> None:
    def revision(decoder: MaskDecoder) -> str:
        session = onnxruntime.InferenceSession(to_onnx(decoder, "sam", "SAM License"))
        return str(session.get_modelmeta().custom_metadata_map["source_revision"])

    first = revision(MaskDecoder(tracker))
    assert revision(MaskDecoder(tracker)) == first
    assert revision(MaskDecoder(tiny.tracker(seed=1))) != first


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "sam3"
    tiny.write(folder)
    return folder


def test_the_command_writes_the_decoder_and_its_licence(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "model" / "decoder.onnx"
    assert main(["export-decoder", "--weights", str(weights), "--out", str(out)]) == 0
    assert {path.name for path in out.parent.iterdir()} == {"decoder.onnx", "LICENSE"}
    assert (out.parent / "LICENSE").read_bytes() == (weights / "LICENSE").read_bytes()
    declared = {each.name: each.type for each in onnxruntime.InferenceSession(out).get_inputs()}
    assert declared["image_embed"] == "tensor(float)"


def test_a_file_that_answers_otherwise_is_not_written(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = decoder_export._traced

    def of_others(decoder: MaskDecoder) -> bytes:
        return traced(MaskDecoder(tiny.tracker(seed=5)))

    monkeypatch.setattr(decoder_export, "_traced", of_others)
    with pytest.raises(WeightsInvalid, match="Nothing was written"):
        export.export(weights, tmp_path / "decoder.onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_is_one_sentence(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    out = tmp_path / "decoder.onnx"
    assert main(["export-decoder", "--weights", str(bare), "--out", str(out)]) == 1
    assert "no LICENSE" in capsys.readouterr().err
    (bare / "LICENSE").touch()
    assert main(["export-decoder", "--weights", str(bare), "--out", str(out)]) == 1
    assert "Fetch the weights again" in capsys.readouterr().err
    assert not out.exists()
