"""Who is calling: tokens and keys, good and bad, and what the API is told of them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from gen3d.api_keys import ApiKey, Right, Secret
from gen3d.errors import KeyNotFound, NotAllowed, Unauthorized
from gen3d_authorize import handler as authorize
from gen3d_authorize.sign_in import SignIn
from gen3d_aws.callers import Caller
from gen3d_aws.key_store import KeyStore
from tests.support import EMAIL, OWNER, REGION, Context, table

POOL, CLIENT = "us-east-1_Example12", "the-page"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
PAIR = RSAKey.generate_key(2048, {"kid": "first"})
LATER = RSAKey.generate_key(2048, {"kid": "second"})
MADE = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The pool's public keys, and how often they were asked for."""
    keys: list[Any] = [PAIR]
    asked = []

    def fetch(_: SignIn) -> Any:
        asked.append(len(keys))
        return {"keys": [key.as_dict(private=False) for key in keys]}

    monkeypatch.setattr(SignIn, "_fetch", fetch)
    authorize._sign_in.cache_clear()
    yield keys
    authorize._sign_in.cache_clear()


@pytest.fixture
def keys(aws: None) -> KeyStore:
    return KeyStore("KeysTable")


def token(pair: RSAKey = PAIR, **claims: Any) -> str:
    said = {"sub": OWNER, "email": EMAIL, "iss": ISSUER, "aud": CLIENT, "token_use": "id",
            "exp": int(time.time()) + 3600} | claims  # fmt: skip
    header = {"alg": "RS256", "kid": pair.kid}
    return jwt.encode(header, {k: v for k, v in said.items() if v is not None}, pair)


def make_key(keys: KeyStore, *rights: Right, **fields: Any) -> Secret:
    secret = Secret.new()
    key = ApiKey(
        key_id=secret.key_id, owner=OWNER, email=EMAIL, identity_id="us-east-1:one", name="robot",
        rights=rights or (Right.READ, Right.CREATE), created_at=MADE, digest=secret.digest,
    )  # fmt: skip
    keys.create(key.model_copy(update=fields))
    return secret


def ask(header: str) -> dict[str, Any]:
    answer: Any = authorize.handler({"identitySource": [header]}, Context())
    assert answer["isAuthorized"] is True
    known: dict[str, Any] = answer["context"]
    return known


def caller(header: str) -> Caller:
    return Caller.of(ask(header), header)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer  ", ""])
def test_a_person_is_known_by_their_token(scheme: str) -> None:
    known = caller(scheme + token())
    assert (known.sub, known.email, known.id_token) == (OWNER, EMAIL, token())
    known.require(Right.CREATE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": ISSUER + "3"},
        {"aud": "another-page"},
        {"exp": None},
        {"sub": None},
        {"token_use": "access"},
        {"token_use": None},
    ],
)
def test_a_token_of_another_kind_or_place_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        caller(token(**wrong))


@pytest.mark.parametrize(
    "claims",
    [
        {"token_use": "access", "aud": None, "client_id": CLIENT},
        # As the token endpoint answers client credentials: of an app, and of no person.
        {"token_use": "access", "aud": None, "client_id": "a-machine", "sub": "a-machine",
         "email": None, "scope": "gen3d/create"},
    ],
    ids=["of a person", "of client credentials"],
)  # fmt: skip
def test_an_access_token_is_told_what_is_taken(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized, match="nobody signs in for sends a key"):
        caller(token(**claims))


@pytest.mark.parametrize("text", ["", "Bearer ", "x", "a.b.c", "Basic QTpC", "gen3d_short_x"])
def test_what_is_no_credential_is_refused(text: str) -> None:
    with pytest.raises(Unauthorized, match=r"Sign in again, or use a key\."):
        caller(text)


def test_a_forged_token_is_refused() -> None:
    forger = RSAKey.generate_key(2048, {"kid": "first"})
    with pytest.raises(Unauthorized):
        caller(token(forger))
    unsigned = jwt.encode(
        {"alg": "HS256", "kid": "first"}, {"sub": OWNER}, OctKey.generate_key(256)
    )
    with pytest.raises(Unauthorized):
        caller(unsigned)


def test_an_expired_sign_in_is_named() -> None:
    with pytest.raises(Unauthorized, match="expired"):
        caller(token(exp=int(time.time()) - 1))


def test_a_sign_in_that_ends_while_the_gateway_keeps_its_answer_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    header = token(exp=int(time.time()) + 30)
    known = ask(header)
    Caller.of(known, header)
    later = time.time() + 31
    monkeypatch.setattr("gen3d_aws.callers.time.time", lambda: later)
    with pytest.raises(Unauthorized, match="expired"):
        Caller.of(known, header)


def test_the_token_is_not_told_to_the_gateways_log() -> None:
    assert token() not in str(ask(token()))


def test_new_keys_of_the_pool_are_fetched_but_not_for_each_forger(
    published: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("gen3d_authorize.sign_in.time.monotonic", lambda: clock[0])
    caller(token())
    published.append(LATER)
    with pytest.raises(Unauthorized):
        caller(token(LATER))  # within a minute
    clock[0] += 61
    assert caller(token(LATER)).sub == OWNER


def test_the_pool_that_does_not_answer_refuses_nobody_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gateway answers 500 to an authorizer that fails, and keeps nothing of it."""

    def silent(_: SignIn) -> Any:
        raise TimeoutError

    monkeypatch.setattr(SignIn, "_fetch", silent)
    with pytest.raises(TimeoutError):
        ask(token())


def test_a_program_is_known_by_its_key(keys: KeyStore) -> None:
    secret = make_key(keys, Right.READ, jobs_per_day=5)
    known = caller(f"Bearer {secret.text}")
    assert (known.sub, known.email, known.id_token) == (OWNER, EMAIL, "")
    assert (known.key_id, known.identity_id) == (secret.key_id, "us-east-1:one")
    assert (known.rights, known.jobs_per_day) == (frozenset({Right.READ}), 5)
    known.require(Right.READ)
    with pytest.raises(NotAllowed, match="no right to create"):
        known.require(Right.CREATE)


def test_the_secret_is_kept_nowhere(keys: KeyStore) -> None:
    secret = make_key(keys)
    assert secret.secret not in str(table("KeysTable").scan()["Items"])


def test_another_secret_does_not_open_a_key(keys: KeyStore) -> None:
    other = Secret(make_key(keys).key_id, Secret.new().secret)
    with pytest.raises(Unauthorized, match="There is no such key"):
        caller(other.text)


def test_a_key_that_was_withdrawn_opens_nothing(keys: KeyStore) -> None:
    secret = make_key(keys)
    with pytest.raises(KeyNotFound):
        keys.withdraw("somebody-else", secret.key_id)
    assert caller(secret.text).sub == OWNER
    keys.withdraw(OWNER, secret.key_id)
    with pytest.raises(Unauthorized, match="There is no such key"):
        caller(secret.text)
    with pytest.raises(KeyNotFound):
        keys.withdraw(OWNER, secret.key_id)


def test_when_a_key_was_used_is_noted_and_not_at_each_call(
    keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make_key(keys)

    def use(minutes: int) -> datetime | None:
        monkeypatch.setattr(authorize, "now", lambda: MADE + timedelta(minutes=minutes))
        caller(secret.text)
        key = keys.find(secret.key_id)
        assert key is not None
        return key.used_at

    assert use(1) == MADE + timedelta(minutes=1)
    assert use(4) == MADE + timedelta(minutes=1)
    assert use(7) == MADE + timedelta(minutes=7)


def test_a_use_that_meets_the_withdrawal_makes_no_new_row(keys: KeyStore) -> None:
    key = keys.find(make_key(keys).key_id)
    assert key is not None
    keys.withdraw(OWNER, key.key_id)
    keys.note_use(key, MADE)
    assert table("KeysTable").scan()["Items"] == []
