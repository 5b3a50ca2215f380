"""Addresses that are told of jobs, and what they were told."""

import asyncio
import json
from typing import Any

import pytest

from client.tests.pretend import DELIVERY, HOOK, JOB, SECRET, WEBHOOK, Pretend
from client.tests.test_keys import gen3d
from gen3d_client.client import AsyncClient, Client
from gen3d_client.cognito import Token
from gen3d_client.sign_ins import Kept

Out = pytest.CaptureFixture[str]
DELIVERIES = f"GET /api/webhooks/{WEBHOOK}/deliveries"


def told(out: Out) -> Any:
    return json.loads(out.readouterr().out)


def test_they_are_listed(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    assert gen3d("webhooks") == 0
    _, stands, ended = capsys.readouterr().out.splitlines()
    assert stands.split() == [WEBHOOK, "is", "told", "2026-11-29", "job.completed", "job.failed",
                              HOOK]  # fmt: skip
    assert "ended, by a 410" in ended
    assert gen3d("webhooks", "--json") == 0
    assert [each["webhookId"] for each in told(capsys)] == [WEBHOOK, WEBHOOK]


def test_one_is_added_and_its_secret_printed_alone(
    pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    assert gen3d("webhooks", "add", HOOK, "--event", "job.completed") == 0
    said = capsys.readouterr()
    assert said.out == f"{SECRET}\n"
    assert said.err == f"gen3d: The webhook {WEBHOOK} signs with it. It is shown this once.\n"
    assert gen3d("webhooks", "add", HOOK, "--json") == 0
    assert told(capsys)["secret"] == SECRET
    sent = [json.loads(body) for what, body in pretend.asked if what == "POST /api/webhooks"]
    assert sent == [{"url": HOOK, "events": ["job.completed"]}, {"url": HOOK}]


def test_what_was_told_is_seen_and_told_again(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    assert gen3d("webhooks", "deliveries", WEBHOOK) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split() == [DELIVERY, "DELIVERED", "job.completed", JOB, "2026-11-29", "10:00", "1",
                           "200", "ok", "[31m"]  # fmt: skip
    assert gen3d("webhooks", "redeliver", WEBHOOK, DELIVERY) == 0
    assert f"gen3d webhooks deliveries {WEBHOOK}" in capsys.readouterr().out
    assert gen3d("webhooks", "redeliver", WEBHOOK, DELIVERY, "--json") == 0
    assert told(capsys)["state"] == "PENDING"


def test_why_nobody_answered_is_told(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    failed = pretend.delivery("PENDING")
    why = {"error": "FetchFailed", "message": f"example.com did not answer. {200 * 'a'}"}
    failed["attempts"] = [{"at": "", "ms": 9, "status": None, "answer": "", "error": why}]
    pretend.answers[DELIVERIES] = [(200, {"deliveries": [failed], "cursor": None})]
    assert gen3d("webhooks", "deliveries", WEBHOOK) == 0
    assert capsys.readouterr().out.rstrip().endswith("a…")


def test_one_is_withdrawn(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    assert gen3d("webhooks", "withdraw", WEBHOOK, "--json") == 0
    assert told(capsys) == {"webhookId": WEBHOOK}
    assert pretend.paths()[-1] == f"DELETE /api/webhooks/{WEBHOOK}"


@pytest.mark.parametrize("verb", ["withdraw", "deliveries"])
def test_one_that_is_not_there_is_refused(
    verb: str, pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    assert gen3d("webhooks", verb, "../jobs", "--json") == 1
    assert json.loads(capsys.readouterr().err)["error"] == "WebhookNotFound"
    assert "/webhooks/..%2Fjobs" in pretend.paths()[-1]


def test_one_whose_making_was_not_answered_is_not_made_twice(
    pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    pretend.answers["POST /api/webhooks"] = [(0, "")]
    assert gen3d("webhooks", "add", HOOK) == 4
    assert "look before you ask again" in capsys.readouterr().err
    assert pretend.paths().count("POST /api/webhooks") == 1


def test_programs_read_page_by_page(pretend: Pretend) -> None:
    def pages() -> list[tuple[int, Any]]:
        one = [pretend.delivery("FAILED", 500)]
        return [(200, {"deliveries": one, "cursor": c}) for c in ("a", "b", None)]

    pretend.answers[DELIVERIES] = pages()
    with Client(f"{pretend.url}/api", Token("good")) as client:
        assert len(client.deliveries(WEBHOOK, 9)) == 3
        assert client.add_webhook(HOOK).secret == SECRET
        assert client.redeliver(WEBHOOK, DELIVERY).attempts == []
        client.withdraw_webhook(WEBHOOK)

    async def on_a_loop() -> None:
        async with AsyncClient(f"{pretend.url}/api", Token("good")) as client:
            assert len(await client.deliveries(WEBHOOK, 2)) == 2
            assert (await client.webhooks())[1].stopped_at
            assert (await client.add_webhook(HOOK)).webhook_id == WEBHOOK
            assert (await client.redeliver(WEBHOOK, DELIVERY)).state == "PENDING"
            await client.withdraw_webhook(WEBHOOK)

    pretend.answers[DELIVERIES] = pages()
    asyncio.run(on_a_loop())
