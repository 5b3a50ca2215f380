"""A program's key: where it comes from, who sees it, and what happens once it opens nothing."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from client.tests.pretend import JOB, KEY, KEY_ID, Pretend
from gen3d_client import command
from gen3d_client.client import Client
from gen3d_client.errors import ApiClientError, SignInNeeded
from gen3d_client.sign_ins import Kept

Out = pytest.CaptureFixture[str]


def gen3d(*words: object) -> int:
    return command.main([str(word) for word in words])


@pytest.fixture
def opens(pretend: Pretend, home: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """A Gen3D that the key opens, and nothing else."""
    pretend.good = {KEY}
    monkeypatch.delenv("GEN3D_KEY", raising=False)
    return pretend


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_key_is_taken_once_and_kept_for_its_owner_alone(
    opens: Pretend, home: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, f"{KEY}\n")
    assert gen3d("login", opens.url, "--key") == 0
    said = capsys.readouterr()
    assert said.out == f"The key {KEY_ID} is used at {opens.url}.\n"
    assert KEY not in said.out + said.err
    (file,) = home.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert gen3d("jobs") == 0
    assert gen3d("logout") == 0
    assert "until it is withdrawn" in capsys.readouterr().out
    assert KEY not in file.read_text()
    assert opens.revoked == []


def test_a_key_that_may_not_read_is_taken_too(
    opens: Pretend, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = {"error": "NotAllowed", "message": "This key has no right to read."}
    opens.answers["GET /api/limits"] = [(403, refusal)]
    piped(monkeypatch, KEY)
    assert gen3d("login", opens.url, "--key") == 0


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("correct-horse", 1, "This is no key."),
        ("", 1, "This is no key."),
        (KEY[:-1], 1, "This is no key."),
        (KEY[:-1] + "b", 3, f"The key {KEY_ID} is not known here, or was withdrawn."),
    ],
)
def test_what_opens_nothing_is_not_kept(
    opens: Pretend, home: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch,
    text: str, code: int, says: str,
) -> None:  # fmt: skip
    piped(monkeypatch, text)
    assert gen3d("login", opens.url, "--key") == code
    said = capsys.readouterr()
    assert says in said.err
    assert not text or text not in said.out + said.err
    assert not home.exists()
    if code == 1:  # somebody else's secret is sent to nobody
        assert opens.paths() == ["GET /config.json"]


def test_the_environments_key_counts_more_than_what_is_kept(
    opens: Pretend, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens.revoked = ["r"]
    assert gen3d("jobs") == 3  # the sign-in is over
    opens.asked.clear()
    monkeypatch.setenv("GEN3D_KEY", KEY)
    assert gen3d("jobs") == 0
    assert "GET /config.json" not in opens.paths()  # the address of the sign-in


def test_with_the_environment_alone_nothing_has_to_be_kept(
    opens: Pretend, home: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEN3D_KEY", KEY)
    assert gen3d("jobs") == 3
    assert "Name the address, by --at or GEN3D_ADDRESS" in capsys.readouterr().err
    monkeypatch.setenv("GEN3D_ADDRESS", opens.url)
    assert gen3d("jobs") == 0
    assert not home.exists()


def test_a_right_that_a_key_lacks_is_its_sentence(
    opens: Pretend, photo: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEN3D_KEY", KEY)
    says = "This key has no right to create. Use another one, or make one with that right."
    opens.answers["POST /api/jobs"] = [(403, {"error": "NotAllowed", "message": says})]
    assert gen3d("mesh", photo, "--mask", "mask.png", "--at", opens.url, "--json") == 1
    told = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert told == {"error": "NotAllowed", "message": says, "exitCode": 1}


def test_a_job_whose_key_is_withdrawn_goes_on_with_another(
    opens: Pretend, home: Path, photo: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEN3D_KEY", KEY)
    monkeypatch.setenv("GEN3D_ADDRESS", opens.url)
    opens.jobs[JOB] = [opens.job("CREATED"), opens.job("RECONSTRUCTING"), opens.done()]
    looks = opens.answer

    def withdrawn(method: str, path: str, token: str, body: bytes) -> tuple[int, Any]:
        answer = looks(method, path, token, body)
        if opens.paths().count(f"GET /api/jobs/{JOB}") == 2:
            opens.good = set()
        return answer

    monkeypatch.setattr(opens, "answer", withdrawn)
    assert gen3d("mesh", photo, "--mask", "mask.png", "--out", "late.glb") == 3
    said = capsys.readouterr().err
    assert f"The key {KEY_ID} is not known here, or was withdrawn." in said
    assert f"gen3d watch {JOB}" in said
    another = KEY[:-1] + "b"
    opens.good = {another}
    monkeypatch.setattr(opens, "answer", looks)
    monkeypatch.setenv("GEN3D_KEY", another)
    opens.jobs[JOB] = [opens.done()]
    assert gen3d("watch", JOB) == 0
    assert Path("late.glb").read_text() == "glb"


def test_keys_are_listed_made_and_withdrawn(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    assert gen3d("keys") == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split() == [KEY_ID, "create", "read", "–", "2026-11-29", "never", "robot", "[31m"]
    assert gen3d("keys", "make", "robot", "--right", "create", "--jobs-per-day", "5") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{KEY}\n", "gen3d: It is shown this once.\n")
    sent = json.loads(dict(pretend.asked)["POST /api/keys"])
    assert sent == {"name": "robot", "jobsPerDay": 5, "rights": ["create"]}
    assert gen3d("keys", "--json", "withdraw", KEY_ID) == 0  # said before or after, it counts
    assert json.loads(capsys.readouterr().out) == {"keyId": KEY_ID}
    assert pretend.paths()[-1] == f"DELETE /api/keys/{KEY_ID}"


def test_an_address_that_is_said_early_is_meant(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    assert gen3d("keys", "--at", "https://elsewhere.example", "withdraw", KEY_ID) == 3
    assert "Nobody is signed in at https://elsewhere.example" in capsys.readouterr().err
    assert pretend.asked == []


def test_a_program_has_a_key(opens: Pretend) -> None:
    with Client.with_key(opens.url, KEY) as client:
        assert client.jobs(3) == []
    with Client.with_key(opens.url, KEY[:-1] + "b") as client, pytest.raises(SignInNeeded):
        client.jobs(3)
    with pytest.raises(ApiClientError, match="This is no key"):
        Client.with_key(opens.url, "secret")
