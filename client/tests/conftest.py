"""A Gen3D that answers what a test says, and somebody who is signed in there."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.tests.pretend import PHOTO, PNG, Pretend, serving
from gen3d_client import api, follow, site
from gen3d_client.cognito import Tokens
from gen3d_client.sign_ins import Kept, SignIn


@pytest.fixture
def pretend() -> Iterator[Pretend]:
    with serving(Pretend()) as served:
        yield served


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the client keeps what it keeps; nobody is signed in."""
    monkeypatch.setenv("GEN3D_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GEN3D_ADDRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def kept(home: Path, pretend: Pretend) -> Kept:
    """The same, with a sign-in."""
    found = site.parse(json.dumps(pretend.config()), pretend.url)
    tokens = Tokens(email="a@b.c", id_token="good", refresh_token="r", until=time.time() + 3600)
    kept = Kept()
    kept.keep(SignIn(site=found, tokens=tokens))
    return kept


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "chair.jpg"
    path.write_bytes(PHOTO)
    (tmp_path / "mask.png").write_bytes(PNG)
    return path


@pytest.fixture(autouse=True)
def _hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here needs the time that a network does."""
    monkeypatch.setattr(api, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(api, "PATIENCE", 0.05)
    monkeypatch.setattr(follow, "_SOON_SECONDS", 0.01)
    monkeypatch.setattr(follow, "_BATCH_SECONDS", 0.01)
