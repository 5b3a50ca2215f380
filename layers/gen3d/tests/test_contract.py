"""Messages of this version and of others, and what a text prompt may be."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gen3d.contract import (
    EMBEDDINGS_CONTRACT,
    MAX_CANDIDATES,
    EmbeddingsMeta,
    InitializeRequest,
    InitializeResult,
    MeshResult,
    ReconstructRequest,
    ReconstructResult,
    RequestAdapter,
    Result,
)
from gen3d.options import SEED_ALONE, EngineOptions, Offer, OneOf, Options

REQUEST = {"task": "initialize", "image": "s3://bucket/image", "output": "s3://bucket/embeddings"}
RESULT = {"bytes": 1, "timings": {}, "engine": "e", "revision": "r", "width": 1, "height": 1}


@pytest.mark.parametrize(
    ("text", "taken"), [(None, None), (" a chair\n", "a chair"), ("é" * 200, "é" * 200)]
)
def test_a_text_prompt_is_taken_without_its_margins(text: str | None, taken: str | None) -> None:
    request = RequestAdapter.validate_python({**REQUEST, "text": text})
    assert isinstance(request, InitializeRequest)
    assert request.text == taken


def test_a_photo_needs_no_text_prompt() -> None:
    request = RequestAdapter.validate_python(REQUEST)
    assert isinstance(request, InitializeRequest)
    assert request.text is None
    assert InitializeResult.model_validate(RESULT).candidates == 0


@pytest.mark.parametrize("text", ["", " \n", "x" * 201, 3])
def test_another_text_prompt_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="text"):
        RequestAdapter.validate_python({**REQUEST, "text": text})


def test_no_more_candidates_than_are_offered() -> None:
    most = InitializeResult.model_validate({**RESULT, "candidates": MAX_CANDIDATES})
    assert most.candidates == MAX_CANDIDATES
    with pytest.raises(ValidationError, match="candidates"):
        InitializeResult.model_validate({**RESULT, "candidates": MAX_CANDIDATES + 1})


# As release 1.2 wrote them, whose readers refused every field that they did not know.
FIRST: dict[type[Any], dict[str, Any]] = {
    InitializeRequest: {**REQUEST, "text": None},
    ReconstructRequest: {
        "task": "reconstruct",
        "image": "s3://bucket/image",
        "mask": "s3://bucket/mask",
        "output": "s3://bucket/splat",
        "seed": 3,
    },
    InitializeResult: {**RESULT, "candidates": 2},
    ReconstructResult: {
        "bytes": 1,
        "timings": {"decode": 1.5},
        "engine": "e",
        "revision": "r",
        "gaussians": 9,
        "pose": {"rotation": [1, 0, 0, 0], "translation": [0, 0, 2], "scale": [1, 1, 1]},
    },
}


@pytest.mark.parametrize("kind", FIRST)
def test_the_first_contract_is_spoken_as_it_was(kind: type[Any]) -> None:
    message = kind.model_validate(FIRST[kind])
    assert message.contract == 1
    assert message.model_dump(mode="json") == FIRST[kind]


@pytest.mark.parametrize("kind", FIRST)
def test_a_later_contract_says_its_number_and_what_it_adds_is_passed_over(kind: type[Any]) -> None:
    message = kind.model_validate({**FIRST[kind], "contract": 7, "of tomorrow": 1})
    assert message.model_dump(mode="json") == {**FIRST[kind], "contract": 7}


def test_a_result_needs_no_pose() -> None:
    """And none is written: what follows shows a pose where there is one."""
    found = FIRST[ReconstructResult]
    without = {name: value for name, value in found.items() if name != "pose"}
    result = ReconstructResult.model_validate(without)
    assert result.pose is None
    assert result.model_dump(mode="json") == without
    with pytest.raises(ValidationError, match="pose"):
        ReconstructResult.model_validate({**found, "pose": {}})


MESH = {"shape": "mesh", "vertices": 8, "faces": 12}


def test_a_result_says_whether_it_is_a_mesh_s() -> None:
    """Whoever reads any result can tell the three apart, whatever else they hold."""
    any_result: TypeAdapter[Result] = TypeAdapter(Result)
    about = {"bytes": 1, "timings": {}, "engine": "e", "revision": "r"}
    mesh = any_result.validate_python({**about, **MESH, "of tomorrow": 1})
    assert isinstance(mesh, MeshResult)
    assert mesh.model_dump(mode="json") == {**about, **MESH}
    assert isinstance(any_result.validate_python(FIRST[ReconstructResult]), ReconstructResult)
    assert isinstance(any_result.validate_python({**about, "gaussians": 3}), ReconstructResult)
    assert isinstance(any_result.validate_python(FIRST[InitializeResult]), InitializeResult)
    with pytest.raises(ValidationError):
        any_result.validate_python({**about, **MESH, "shape": "voxels"})
    with pytest.raises(ValidationError):
        any_result.validate_python(about)


@pytest.mark.parametrize("contract", [0, -1, "one", None])
def test_a_contract_is_a_number_from_one_on(contract: object) -> None:
    with pytest.raises(ValidationError, match="contract"):
        RequestAdapter.validate_python({**REQUEST, "contract": contract})


def test_options_are_spelled_out_where_more_than_a_seed_was_chosen() -> None:
    asked = ReconstructRequest(**FIRST[ReconstructRequest])
    assert asked.options == Options().with_seed(3)
    fast = asked.model_copy(update={"options": Options(engine=EngineOptions(quality="fast"))})
    said = fast.model_dump(mode="json")
    assert (said["options"]["engine"]["quality"], said["seed"]) == ("fast", 0)
    assert RequestAdapter.validate_python(said) == fast


def test_an_engine_offers_a_seed_where_it_does_not_say() -> None:
    assert InitializeResult.model_validate(RESULT).offers == SEED_ALONE
    offers: Offer = {"quality": OneOf(values=("fast", "standard"), seconds={"fast": 2})}
    said = InitializeResult.model_validate({**RESULT, "offers": offers}).model_dump(mode="json")
    assert InitializeResult.model_validate(said).offers == offers


def test_embeddings_of_tomorrow_are_read() -> None:
    strings = ("engine", "revision", "input_width", "input_height", "image_width", "image_height")
    meta = dict.fromkeys(strings, "1") | {"precision": "u8", "of tomorrow": "x"}
    assert EmbeddingsMeta.model_validate(meta).contract == str(EMBEDDINGS_CONTRACT)
