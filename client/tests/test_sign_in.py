"""Signing in by SRP, held to what Amplify's own code computes; and addresses."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from client.tests.pretend import Pretend
from gen3d_client import cognito, site
from gen3d_client.client import ask, signed_in
from gen3d_client.errors import ApiClientError, SignInNeeded, Unreachable
from gen3d_client.srp import _N, Proof

# Made by `aws-amplify` 6.22.1's AuthenticationHelper and getSignatureString, from random numbers.
AMPLIFY = json.loads((Path(__file__).parent / "srp.json").read_text())
NOW = datetime(2026, 11, 8, 9, 5, 3, tzinfo=UTC)


def asked(case: dict[str, str], **other: str) -> dict[str, str]:
    named = {"USER_ID_FOR_SRP": "person", "SECRET_BLOCK": "block", "SRP_B": "srpB", "SALT": "salt"}
    return {name: case[key] for name, key in named.items()} | other


@pytest.mark.parametrize("case", AMPLIFY, ids=[case["password"] for case in AMPLIFY])
def test_a_password_is_proven_as_amplify_does(case: dict[str, str]) -> None:
    proof = Proof(int(case["secret"], 16))
    assert proof.public == case["public"]
    answer = proof.answer(case["pool"], asked(case), case["password"], NOW)
    assert answer["PASSWORD_CLAIM_SIGNATURE"] == case["signature"]
    assert answer["TIMESTAMP"] == case["time"]


@pytest.mark.parametrize("theirs", [0, _N, 2 * _N])
def test_a_server_by_which_it_could_learn_something_is_refused(theirs: int) -> None:
    case = AMPLIFY[0]
    with pytest.raises(SignInNeeded, match="answered wrongly"):
        Proof().answer(case["pool"], asked(case, SRP_B=f"{theirs:x}"), "p", NOW)


def test_no_two_sign_ins_are_alike() -> None:
    assert Proof().public != Proof().public


def says(pretend: Pretend, *answers: tuple[int, Any]) -> None:
    pretend.answers["POST /"] = list(answers)


VERIFIER = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": asked(AMPLIFY[0])}


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ([(400, {"__type": "NotAuthorizedException"})], SignInNeeded, "do not belong together"),
        ([(400, {"__type": "a#UserNotFoundException"})], SignInNeeded, "do not belong together"),
        ([(400, {"__type": "UserNotConfirmedException"})], SignInNeeded, "code that was mailed"),
        ([(400, {"__type": "PasswordResetRequiredException"})], SignInNeeded, "made anew"),
        ([(429, {"__type": "TooManyRequestsException"})], SignInNeeded, "too many attempts"),
        ([(400, {"__type": "ResourceNotFoundException"})], Unreachable, "has gone"),
        ([(400, {"__type": "Odd", "message": "Odd."})], ApiClientError, "refused: Odd."),
        ([(500, "oops")], Unreachable, "answered 500"),
        ([(0, "")], Unreachable, "does not answer"),
        ([(200, {"ChallengeName": "SOFTWARE_TOKEN_MFA"})], SignInNeeded, "Sign in on the page"),
        ([(200, {"ChallengeName": "PASSWORD_VERIFIER"})], Unreachable, "not known here"),
        ([(200, {**VERIFIER, "ChallengeParameters": asked(AMPLIFY[0], SALT="x")})],
         Unreachable, "not known here"),
        ([(200, VERIFIER), (200, {"ChallengeName": "NEW_PASSWORD_REQUIRED"})],
         SignInNeeded, "first time alone"),
        ([(200, VERIFIER), (200, {})], Unreachable, "without tokens"),
    ],
)  # fmt: skip
def test_what_keeps_somebody_out_is_said(
    pretend: Pretend, answers: Any, error: type[Exception], words: str
) -> None:
    says(pretend, *answers)
    with pytest.raises(error, match=words):
        signed_in(pretend.url, "a@b.c", "secret-password")
    assert b"secret-password" not in b"".join(body for _, body in pretend.asked)


def test_a_sign_in_gives_tokens(pretend: Pretend) -> None:
    result = {"IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600}
    says(pretend, (200, VERIFIER), (200, {"AuthenticationResult": result}))
    found, tokens = signed_in(pretend.url, "a@b.c", "p")
    assert (tokens.id_token, tokens.refresh_token, tokens.email) == ("i", "r", "a@b.c")
    assert found.address == pretend.url
    ask(cognito.sign_out(found, tokens))
    assert pretend.revoked == ["r"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("localhost:20005", "http://localhost:20005"),
        ("http://127.0.0.1:1/jobs/1?a#b", "http://127.0.0.1:1"),
        ("d1.cloudfront.net", "https://d1.cloudfront.net"),
        (" https://D1.cloudfront.net/ ", "https://d1.cloudfront.net"),
        ("http://[::1]:5/x", "http://[::1]:5"),
        ("https://a:b@d1.cloudfront.net:8443", "https://d1.cloudfront.net:8443"),
    ],
)
def test_an_address_is_kept_as_its_origin(written: str, kept: str) -> None:
    assert site.normal(written) == kept


@pytest.mark.parametrize(
    "written", ["", "ftp://a", "https://", "http://localhost.evil.example", "http://10.0.0.1"]
)
def test_what_is_no_address_or_no_safe_one_is_refused(written: str) -> None:
    with pytest.raises(ApiClientError):
        site.normal(written)
