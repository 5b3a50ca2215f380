"""Objects by name: from the features that the image encoder has, to few and different masks."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from container.tests.sam import tiny
from container.tests.sam.tiny import GRID, SIDE
from gen3d.contract import MAX_CANDIDATES, SURE
from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.sam import concept
from gen3d_inference.engines.sam.concept import ConceptPrompt

pytestmark = pytest.mark.filterwarnings("ignore")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "sam3"
    tiny.write(folder)
    return folder


@pytest.fixture(scope="module")
def detector() -> Any:
    """The same parameters as a model of the library, backbone included."""
    return tiny.detector()


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.randn((1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def features(detector: Any, pixels: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = detector.vision_encoder.backbone(pixels).last_hidden_state
    return found


def answer(detector: Any, pixels: torch.Tensor, text: str, **more: Any) -> Any:
    """What the whole detector says of the pixels."""
    words = tiny.tokenizer()(
        [text], padding="max_length", max_length=32, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        return detector(pixel_values=pixels, **words, **more)


def summary_alone() -> dict[str, torch.Tensor]:
    return {"input_boxes": torch.rand(1, 1, 4), "input_boxes_labels": torch.full((1, 1), -10)}


@pytest.fixture
def every_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer masks however unsure, and however alike."""
    monkeypatch.setattr(concept, "_SCORE", 0.0)
    monkeypatch.setattr(concept, "_IOU", 1.0)


@pytest.mark.usefixtures("every_query")
@pytest.mark.parametrize("text", ["chair", "the blue cup, on the left"])
def test_it_finds_what_the_whole_detector_finds(
    weights: Path, detector: Any, pixels: torch.Tensor, features: torch.Tensor, text: str
) -> None:
    found = ConceptPrompt(weights, CPU).find(text, features)
    whole = answer(detector, pixels, text, **summary_alone())
    scores = (whole.pred_logits[0].sigmoid() * whole.presence_logits[0].sigmoid()).numpy()
    order = np.argsort(-scores)[: len(found.scores)]
    np.testing.assert_allclose(found.scores, scores[order], rtol=1e-4)
    assert found.logits.shape == (len(order), 4 * GRID, 4 * GRID)
    assert len(order) >= 8
    np.testing.assert_allclose(found.logits, whole.pred_masks[0].numpy()[order], atol=1e-3)


@pytest.mark.usefixtures("every_query")
def test_the_text_matters(weights: Path, features: torch.Tensor) -> None:
    prompt = ConceptPrompt(weights, CPU)
    chair, table = (prompt.find(text, features).scores for text in ("chair", "table"))
    assert np.abs(chair - table).max() > 0.01


def test_the_photo_s_summary_is_read_beside_the_text(
    weights: Path, detector: Any, pixels: torch.Tensor, features: torch.Tensor
) -> None:
    """The library leaves it out where there is no box; Meta's code never does."""
    loaded, tokenizer = concept._load(weights, CPU)
    with torch.inference_mode():
        _, scores = concept._detect(loaded, tokenizer, "chair", features)
        summary = loaded.geometry_encoder.cls_embed.weight
        summary += 1.0
        _, changed = concept._detect(loaded, tokenizer, "chair", features)
    assert (changed - scores).abs().max() > 1e-3
    without = answer(detector, pixels, "chair")
    theirs = without.pred_logits[0].sigmoid() * without.presence_logits[0].sigmoid()
    assert (theirs - scores).abs().max() > 1e-3


@pytest.mark.usefixtures("every_query")
def test_a_text_of_any_length_and_script_is_read(weights: Path, features: torch.Tensor) -> None:
    prompt = ConceptPrompt(weights, CPU)
    for text in ("x" * 200, "椅子", "🪑", "<|endoftext|>"):
        assert len(prompt.find(text, features).scores) >= 8


def test_it_is_loaded_at_the_first_prompt_and_given_back(
    weights: Path, features: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    load = concept._load

    def counted(*arguments: Any) -> Any:
        loads.append(arguments)
        return load(*arguments)

    monkeypatch.setattr(concept, "_load", counted)
    prompt = ConceptPrompt(weights, CPU)
    assert not loads
    first = prompt.find("chair", features)
    prompt.find("cup", features)
    assert len(loads) == 1
    prompt.free()
    assert np.array_equal(prompt.find("chair", features).scores, first.scores)
    assert len(loads) == 2


def test_the_backbone_is_not_held_twice(weights: Path) -> None:
    detector, _ = concept._load(weights, CPU)
    assert not any("backbone" in name for name, _ in detector.named_parameters())


def boxes(*corners: tuple[int, int, int, int]) -> torch.Tensor:
    masks = torch.zeros(len(corners), 20, 20, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, corners, strict=True):
        mask[top:bottom, left:right] = True
    return masks


def test_masks_of_one_object_are_offered_once() -> None:
    masks = boxes((0, 0, 10, 10), (0, 0, 10, 11), (5, 0, 15, 10), (0, 0, 10, 4), (0, 0, 0, 0))
    scores = torch.tensor([0.8, 0.9, 0.7, 0.95, 0.99])
    # The second is the first again; a third shares a third with it, and the part less than half.
    assert concept._distinct(masks, scores) == [3, 1, 2]


def test_what_is_unsure_is_not_offered() -> None:
    masks = boxes((0, 0, 5, 5), (10, 10, 15, 15))
    assert concept._distinct(masks, torch.tensor([0.19, 0.21])) == [1]
    assert concept._distinct(masks, torch.tensor([0.1, 0.2])) == []


def test_the_best_are_offered_as_many_as_a_person_can_look_at() -> None:
    corners = [(5 * (n % 4), n // 4, 5 * (n % 4) + 5, n // 4 + 1) for n in range(30)]
    scores = torch.linspace(0.6, 0.9, 30)
    best = list(range(29, 29 - MAX_CANDIDATES, -1))
    assert concept._distinct(boxes(*corners), scores) == best


@pytest.mark.parametrize(
    ("named", "text", "by"),
    [
        ({"person"}, "people", "person"),
        ({"red chair"}, "red chairs", "red chair"),
        ({"people", "person"}, "people", "people"),
        (set(), "people", "people"),
        ({"person"}, "person", "person"),
        (set(), "椅子", "椅子"),
    ],
)
def test_what_a_plural_does_not_find_its_singular_may(
    weights: Path,
    features: torch.Tensor,
    monkeypatch: pytest.MonkeyPatch,
    named: set[str],
    text: str,
    by: str,
) -> None:
    asked = []

    def detect(*given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(given[2])
        return torch.ones((1, 4, 4)), torch.tensor([0.9 if given[2] in named else 0.3])

    monkeypatch.setattr(concept, "_detect", detect)
    found = ConceptPrompt(weights, CPU).find(text, features)
    assert found.text == by
    assert (found.scores >= SURE).tolist() == [by in named]
    assert asked[0] == text


def test_nothing_found_is_an_answer(weights: Path, features: torch.Tensor) -> None:
    found = ConceptPrompt(weights, CPU).find("chair", features)
    assert found.logits.shape == (0, 4 * GRID, 4 * GRID)
    assert found.scores.shape == (0,)


def test_weights_without_a_tokeniser_are_named(
    weights: Path, tmp_path: Path, features: torch.Tensor
) -> None:
    bare = shutil.copytree(weights, tmp_path / "bare")
    for path in bare.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(WeightsInvalid, match="or click the object"):
        ConceptPrompt(bare, CPU).find("chair", features)


def test_missing_parameters_are_refused(
    weights: Path, tmp_path: Path, features: torch.Tensor
) -> None:
    partial = shutil.copytree(weights, tmp_path / "partial")
    tensors = load_file(partial / "model.safetensors")
    del tensors["detector_model.text_projection.weight"]
    save_file(tensors, partial / "model.safetensors")
    with pytest.raises(WeightsInvalid, match=r"lack 1 .*text_projection\.weight"):
        ConceptPrompt(partial, CPU).find("chair", features)
