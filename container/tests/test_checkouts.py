"""What fetches upstream's code for the tests against it."""

import subprocess
from pathlib import Path

import pytest

from container.tests.sam.objects import checkouts


def git(folder: Path, *words: str) -> str:
    words = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", *words)
    return subprocess.run(
        ["git", "-C", folder, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[str, str]:
    """Its address, and the commit before its last."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    git(folder, "init", "-q")
    for text in ("pinned", "later"):
        (folder / "code.py").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "-qm", text)
    return folder.as_uri(), git(folder, "rev-parse", "HEAD~1")


def test_each_repository_has_one_commit() -> None:
    names = [address.rpartition("/")[2] for address in checkouts.pins()]
    assert names == ["sam-3d-objects", "MoGe", "utils3d", "pytorch3d", "dinov2"]


def test_a_checkout_is_of_its_commit_and_is_fetched_once(
    tmp_path: Path, repository: tuple[str, str]
) -> None:
    address, commit = repository
    ours = checkouts.fetch(tmp_path / "ours", address, commit)
    assert (ours / "code.py").read_text() == "pinned"
    (tmp_path / "theirs").rename(tmp_path / "gone")
    assert checkouts.fetch(tmp_path / "ours", address, commit) == ours


def test_where_nothing_can_be_fetched_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = (tmp_path / "none").as_uri()
    monkeypatch.setattr(checkouts, "pins", lambda: {nowhere: "0" * 40})
    with pytest.raises(SystemExit, match=r"cannot be fetched here: .*none"):
        checkouts.main(tmp_path / "ours")
