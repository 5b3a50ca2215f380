"""Several seeds of an object, by the API: asked for, shown, chosen."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from gen3d.contract import Progress
from gen3d.jobs import EngineRevision, Failure, Job, JobObject, ObjectStatus, Status, now
from gen3d.options import ANY_SEED, SOME_SEEDS, EngineOptions, Offer, OneOf, Options
from gen3d_api import progress_view
from gen3d_api.answers import ProgressView
from tests.support import JOB_ID, OWNER, api, finished_object, make_job, table

from ..conftest import FakeStates
from .requests import PutJob, call, refused
from .test_ending import started_with

OFFERS: Offer = {
    "seed": ANY_SEED,
    "seeds": SOME_SEEDS,
    "quality": OneOf(values=("fast", "standard")),
}
SEES = EngineRevision(engine="sam", revision="0" * 12, offers=OFFERS)
"""An engine that says poses."""

THREE = Options(engine=EngineOptions(seed=5, seeds=3))
SCORES = {5: 0.7, 6: 0.9}


def tried() -> dict[str, JobObject]:
    """An object of which three seeds were tried: the second is kept, the third failed."""
    each = {
        seed: finished_object(0).model_copy(
            update={"options": one, "folder": f"seeds/{one.engine.seed}/"}
        )
        for seed, one in zip((5, 6, 7), THREE.each_seed(), strict=True)
    }
    for seed, score in SCORES.items():
        mesh = each[seed].mesh
        assert mesh is not None
        mesh["truth"] = {"silhouette": score, "colour": 1, "score": score}
    failure = Failure(name="ReconstructionFailed", message="Nothing.", stage="Reconstruct")
    lost = {"splat": None, "mesh": None, "status": ObjectStatus.FAILED, "error": failure}
    each[7] = each[7].model_copy(update=lost)
    return {"0": each[6], **{f"0.{seed}": variant for seed, variant in each.items()}}


@pytest.fixture
def complete(put_job: PutJob) -> Job:
    """A job whose object is one of three."""
    return put_job(make_job(Status.COMPLETED, run=1, model=SEES, objects=tried()))


@pytest.fixture
def offering(awaiting: Job) -> None:
    """The job that waits, whose engine says poses."""
    offers = {name: offered.model_dump(mode="json") for name, offered in OFFERS.items()}
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET model.offers = :offers",
        ExpressionAttributeValues={":offers": json.dumps(offers)},
    )


ASKED = {"objects": [{"options": {"engine": {"seed": 5, "seeds": 3}}}, {}]}


def test_three_seeds_are_asked_for_with_the_masks(offering: None, states: FakeStates) -> None:
    status, body = call("reconstruct_job", ASKED)
    assert status == 202
    first, second = json.loads(states.resumed[0]["output"])["objects"]
    assert [(v["seed"], v["folder"], v["have"]) for v in first["variants"]] == [
        (seed, f"seeds/{seed}/", "nothing") for seed in (5, 6, 7)
    ]
    assert {v["options"]["engine"]["seeds"] for v in first["variants"]} == {1}
    assert "variants" not in second
    assert [(v["seed"], v["status"], v["kept"]) for v in body["objects"][0]["variants"]] == [
        (seed, "PENDING", False) for seed in (5, 6, 7)
    ]
    assert "variants" not in body["objects"][1]


def test_an_engine_that_says_no_pose_offers_no_seeds_to_be_tried(
    awaiting: Job, states: FakeStates
) -> None:
    status, body = call("reconstruct_job", ASKED)
    assert (status, body["error"]) == (422, "OptionNotOffered")
    assert "engine.seeds" in body["message"]
    assert states.resumed == []


@pytest.mark.parametrize("seeds", [0, 4, None])
def test_other_numbers_of_them_are_refused(seeds: int | None, offering: None) -> None:
    body = {"objects": [{"options": {"engine": {"seeds": seeds}}}]}
    assert call("reconstruct_job", body)[0] == 400


def test_each_counts_among_what_one_may_have_in_the_queue(
    offering: None, states: FakeStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def may_have(objects: int) -> None:
        quotas = replace(api.service.quotas, queued_objects=objects)
        monkeypatch.setattr(api, "service", replace(api.service, quotas=quotas))

    may_have(3)
    assert refused(call("reconstruct_job", ASKED)) == (400, "InvalidRequest")
    may_have(4)
    assert call("reconstruct_job", ASKED)[0] == 202


def test_all_are_shown_with_their_pictures_and_how_true_they_are(complete: Job) -> None:
    (o,) = call("get_job")[1]["objects"]
    assert (o["seed"], o["mesh"]["truth"]["score"]) == (6, 0.9)
    assert "/objects/0/seeds/6/splat.ply" in o["splat"]["url"]
    assert "/objects/0/mask.png" in o["mask"]["url"]
    first, second, third = o["variants"]
    assert [v["kept"] for v in o["variants"]] == [False, True, False]
    for variant, seed in ((first, 5), (second, 6)):
        assert f"/objects/0/seeds/{seed}/preview.png" in variant["picture"]["url"]
        assert variant["mesh"]["truth"]["score"] == SCORES[seed]
        assert "files" not in variant["mesh"]
    assert third["error"]["error"] == "ReconstructionFailed"
    assert "picture" not in third
    (card,) = call("list_jobs", queryStringParameters={})[1]["jobs"]
    assert card["objects"] == 1
    assert "/seeds/6/preview.png" in unquote(card["picture"])


def test_another_one_is_chosen(complete: Job, executions: Callable[[], list[str]]) -> None:
    status, body = call("retry_job", {"objects": [{"n": 0, "keep": 5}]})
    assert status == 202
    assert [v["kept"] for v in body["objects"][0]["variants"]] == [True, False, False]
    (task,) = started_with(f"{JOB_ID}-2")["objects"]
    assert (task["have"], task["seed"], task["folder"], task["kept"]) == ("mesh", 5, "seeds/5/", 5)
    assert [v["have"] for v in task["variants"]] == ["mesh", "mesh", "left"]


@pytest.mark.parametrize("seed", [7, 8])
def test_of_what_no_seed_has_made_nothing_is_chosen(
    seed: int, complete: Job, executions: Callable[[], list[str]]
) -> None:
    status, body = call("retry_job", {"objects": [{"n": 0, "keep": seed}]})
    assert (status, body["error"]) == (400, "InvalidRequest")
    assert "Keep one that was: 5, 6." in body["message"]
    assert executions() == []


def test_a_choice_asks_for_nothing_else(complete: Job, executions: Callable[[], list[str]]) -> None:
    others: list[dict[str, Any]] = [{"seed": 6}, {"options": {}}]
    for more in others:
        status, body = call("retry_job", {"objects": [{"n": 0, "keep": 5, **more}]})
        assert (status, body["error"]) == (400, "InvalidRequest")
        assert "leave options and seed out" in body["message"]
    assert executions() == []


def test_an_object_is_as_far_as_its_seeds_are_together(complete: Job) -> None:
    objects: dict[str, Any] = tried()
    waits = {"splat": None, "mesh": None, "status": ObjectStatus.PENDING, "options": THREE}
    objects["0"] = objects["0"].model_copy(update=waits)
    objects["0.5"] = objects["0.5"].model_copy(
        update={"status": ObjectStatus.PENDING, "mesh": None, "splat": None}
    )
    job = make_job(Status.RECONSTRUCTING, run=1, model=SEES, objects=objects)
    said = Progress(phase="latents", fraction=0.5, left=4, at=now())
    far = progress_view.of_object(job, job.ordered_objects[0], {"0.5": said}, now())
    assert far == ProgressView(phase="latents", fraction=0.75, rest_seconds=None)
    silent = progress_view.of_object(job, job.ordered_objects[0], {}, now())
    assert silent == ProgressView(phase="nextSeed", fraction=0.667, rest_seconds=None)
