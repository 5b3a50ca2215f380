"""Options: what is taken, what is offered, and messages from before there were any."""

from typing import Any

import pytest
from pydantic import ValidationError

from gen3d.errors import OptionNotOffered
from gen3d.jobs import JobObject, ObjectTask
from gen3d.options import (
    ANY_SEED,
    MAX_SEED,
    MESH_OFFER,
    SEED_ALONE,
    EngineOptions,
    MeshOptions,
    Offer,
    OneOf,
    Options,
    Within,
    require_offered,
)

FAST = EngineOptions(quality="fast", seed=3)


def test_each_option_has_a_title_of_its_own() -> None:
    """People read them side by side; without a default no message of before could be read."""
    fields = [*EngineOptions.model_fields.values(), *MeshOptions.model_fields.values()]
    assert len({field.title for field in fields} - {None}) == len(fields)
    assert not any(field.is_required() for field in fields)


@pytest.mark.parametrize(
    "part",
    [
        {"engine": {"quality": "preview"}},
        {"engine": {"seed": -1}},
        {"engine": {"seed": 2**31}},
        {"mesh": {"faces": 0}},
        {"mesh": {"faces": 1.5}},
        {"mesh": {"texture": 4096}},
        {"mesh": None},
    ],
)
def test_other_values_are_refused(part: Any) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(part)


def test_options_of_tomorrow_are_passed_over() -> None:
    options = Options.model_validate({"engine": {"seed": 3, "of tomorrow": 9}, "light": {}})
    assert options == Options().with_seed(3)


def test_the_mesh_step_offers_what_it_takes() -> None:
    assert MESH_OFFER.keys() == MeshOptions.model_fields.keys()
    for name, offered in MESH_OFFER.items():
        ends = offered.values if isinstance(offered, OneOf) else (offered.minimum, offered.maximum)
        for value in ends:
            assert getattr(MeshOptions.model_validate({name: value}), name) == value
    for beyond in ({"faces": 999}, {"faces": 200_001}):
        with pytest.raises(ValidationError):
            MeshOptions.model_validate(beyond)


def test_what_was_used_is_shown_by_its_titles() -> None:
    options = Options(engine=FAST, mesh=MeshOptions(faces=5000))
    assert options.titled() == {
        "Reconstruction quality": "fast",
        "Seed": 3,
        "Mesh quality": "standard",
        "Faces, at most": 5000,
    }


@pytest.mark.parametrize(("seed", "seeds"), [(5, [5, 6, 7]), (MAX_SEED, [MAX_SEED, 0, 1])])
def test_each_seed_is_tried_by_itself(seed: int, seeds: list[int]) -> None:
    asked = Options(engine=EngineOptions(quality="fast", seed=seed, seeds=3))
    each = asked.each_seed()
    assert [one.engine.seed for one in each] == seeds
    assert {(one.engine.seeds, one.engine.quality, one.mesh) for one in each} == {
        (1, "fast", asked.mesh)
    }
    assert "Seeds to try" not in asked.titled()


# What an engine offers


@pytest.mark.parametrize("offer", [{}, SEED_ALONE, {"quality": OneOf(values=("fast",))}])
def test_defaults_are_always_taken(offer: Offer) -> None:
    require_offered(EngineOptions(), offer)


def test_what_is_offered_is_taken() -> None:
    require_offered(FAST, {"quality": OneOf(values=("fast", "fine")), "seed": ANY_SEED})


@pytest.mark.parametrize(
    ("offer", "sentence"),
    [
        ({}, "engine.quality: the engine offers no choice of it. Leave it out."),
        (
            {"quality": OneOf(values=("standard", "fine"))},
            "engine.quality: the engine does not offer fast. Choose standard or fine.",
        ),
        (
            {"quality": OneOf(values=("fine",))},
            "engine.quality: the engine does not offer fast. Choose fine.",
        ),
        (
            {"quality": OneOf(values=("fast",)), "seed": Within(minimum=0, maximum=2)},
            "engine.seed: the engine does not offer 3. Choose a whole number from 0 to 2.",
        ),
    ],
)
def test_what_is_not_offered_is_named_with_what_is(offer: Offer, sentence: str) -> None:
    with pytest.raises(OptionNotOffered) as refused:
        require_offered(FAST, offer)
    assert refused.value.message == sentence


# From before there were options


@pytest.mark.parametrize("kind", [JobObject, ObjectTask])
def test_a_seed_alone_is_read_as_options(kind: type[JobObject | ObjectTask]) -> None:
    read = kind.model_validate({"n": 0, "name": "Cup", "seed": 7})
    assert (read.options, read.seed) == (Options().with_seed(7), 7)
    assert kind.model_validate({"n": 0, "name": "Cup"}).options == Options()


@pytest.mark.parametrize("kind", [JobObject, ObjectTask])
def test_the_seed_is_said_to_those_who_know_no_options(kind: type[JobObject | ObjectTask]) -> None:
    said = kind(n=0, name="Cup", options=Options(engine=FAST)).model_dump()
    assert (said["seed"], said["options"]["engine"]) == (3, FAST.model_dump())
    assert kind.model_validate(said).options.engine == FAST
