"""Downloads that go on where they stopped, are checked, and fail with a sentence that helps."""

import errno
import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers, filter_repo_objects

from gen3d.errors import WeightsInvalid, WeightsUnavailable
from gen3d_inference.weights import visible

logger = logging.getLogger(__name__)

_PARTS = ".cache"
"""Holds half a download; hidden, so never sealed."""


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Parameters
    ----------
    source : str
        Who publishes it, as `explained` takes it.
    path : str
        Inside the weights folder.
    url : str
    bytes : int
    digest : str
        SHA-256, or Git's blob id (a SHA-1) for what a repository holds itself, in hexadecimal.
    headers : dict, optional
        Sent to the URL's host alone.
    """

    source: str
    path: str
    url: str
    bytes: int
    digest: str
    headers: dict[str, str] | None = None


@dataclass(frozen=True)
class Repository:
    """Files of a model on Hugging Face.

    Parameters
    ----------
    name : str
        Such as ``facebook/sam3``.
    revision : str
        Commit, branch or tag.
    folder : str
        Where the files lie in the weights folder.
    patterns : tuple of str
        Which files, as `fnmatch` reads them.
    """

    name: str
    revision: str
    folder: str
    patterns: tuple[str, ...]


def files(repository: Repository, token: str | None) -> list[Remote]:
    """Ask Hugging Face, or what HF_ENDPOINT names, which files a revision of a repository holds.

    Raises
    ------
    WeightsUnavailable
    """
    api = HfApi(token=token or False)
    with explained(repository.name, repository.revision, token):
        info = api.model_info(repository.name, revision=repository.revision, files_metadata=True)
        api.auth_check(repository.name)  # what a gated repository holds is told to everybody
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or []}
    found = [
        Remote(
            source=repository.name,
            path=f"{repository.folder}/{name}",
            url=hf_hub_url(repository.name, name, revision=info.sha, endpoint=api.endpoint),
            bytes=siblings[name].size or 0,
            digest=lfs.sha256 if (lfs := siblings[name].lfs) else siblings[name].blob_id or "",
            headers=build_hf_headers(token=token or False),
        )
        for name in filter_repo_objects(siblings, allow_patterns=list(repository.patterns))
    ]
    if not found:
        raise WeightsUnavailable(
            f"{repository.name} at {repository.revision} holds none of "
            f"{', '.join(repository.patterns)}. Name another revision."
        )
    return found


def download(remote: Remote, folder: Path) -> bool:
    """Bring one file into the weights folder.

    What is there already, whole, stays; what a cut connection or an ended process left is gone on
    with.

    Returns
    -------
    bool
        Whether it had to be downloaded.

    Raises
    ------
    WeightsUnavailable
        It did not arrive, or what came is not what was announced.
    """
    target = folder / remote.path
    if target.is_file() and _is_whole(target, remote):
        return False
    # Named for its content: the rest of another file is never added to it.
    part = folder / _PARTS / remote.digest
    with explained(remote.source), _append(part) as stream:
        http_get(
            remote.url,
            stream,
            resume_size=stream.tell(),
            # Compressed on the way, a file could not be gone on with.
            headers={**(remote.headers or {}), "Accept-Encoding": "identity"},
            expected_size=remote.bytes,
            displayed_filename=remote.path,
        )
    if not _is_whole(part, remote):
        part.unlink()
        raise WeightsUnavailable(
            f"{remote.path} arrived with other content than {remote.url} announces. Run this "
            "again; if it stays so, somebody on the way changes it."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)
    return True


def bring(remotes: list[Remote], folder: Path) -> None:
    """Make a weights folder of downloads; run again, it goes on where it stopped.

    Raises
    ------
    WeightsUnavailable
        The folder cannot be made, has no room, or a file does not arrive.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsUnavailable(f"{folder} cannot be made: {error}. Choose another.") from None
    _check_room(folder, remotes)
    for remote in remotes:
        new = download(remote, folder)
        logger.info("%s %s (%d bytes)", "Fetched" if new else "Kept", remote.path, remote.bytes)


def refuse_others(folder: Path, expected: set[str]) -> None:
    """See that a folder holds nothing that would be sealed with the weights unseen.

    Raises
    ------
    WeightsInvalid
    """
    found = {path.relative_to(folder).as_posix() for path in visible(folder)}
    others = sorted(found - expected)
    if others:
        raise WeightsInvalid(
            f"{folder} also holds {', '.join(others[:5])}, which would be sealed with the weights. "
            "Remove what is not theirs, or choose an empty folder."
        )


def _check_room(folder: Path, remotes: list[Remote]) -> None:
    missing = [remote.bytes for remote in remotes if not (folder / remote.path).exists()]
    free = shutil.disk_usage(folder).free
    # Halves of downloads take room already; they are few beside the whole.
    if sum(missing) > free:
        raise WeightsUnavailable(
            f"The weights need {sum(missing) / 1e9:.1f} GB more, and the disk of {folder} has "
            f"{free / 1e9:.1f} GB free. Make room, or choose another folder."
        )


def _append(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _is_whole(path: Path, remote: Remote) -> bool:
    if path.stat().st_size != remote.bytes:
        return False
    digest: Callable[[], hashlib._Hash] = hashlib.sha256
    if len(remote.digest) == hashlib.sha1(usedforsecurity=False).digest_size * 2:
        digest = lambda: hashlib.sha1(f"blob {remote.bytes}\0".encode(), usedforsecurity=False)  # noqa: E731
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, digest).hexdigest() == remote.digest


@contextmanager
def explained(name: str, revision: str = "", token: str | None = None) -> Iterator[None]:
    """Turn what a download may raise into `WeightsUnavailable`, with what to do.

    Parameters
    ----------
    name : str
        Repository or host that is downloaded from.
    revision : str
        What was asked of it.
    token : str or None
        Whether there is one changes the advice; it is not shown.
    """
    page = f"https://huggingface.co/{name}"
    try:
        yield
    except GatedRepoError:  # a RepositoryNotFoundError too, so it comes first
        who = "the account that the token belongs to" if token else "your Hugging Face account"
        raise WeightsUnavailable(
            f"Access to {name} has not been granted. Open {page} signed in as {who} and ask for "
            "it; the owner decides by hand, which can take days. "
            + ("" if token else "Give an access token of that account as HF_TOKEN. ")
            + "Then run this again."
        ) from None
    except RevisionNotFoundError:
        raise WeightsUnavailable(
            f"{name} has no revision {revision}. {page}/commits/main lists them."
        ) from None
    except (RepositoryNotFoundError, HfHubHTTPError) as error:
        raise WeightsUnavailable(_refusal(name, error.response.status_code, token)) from None
    except HFValidationError as error:
        raise WeightsUnavailable(f"{name} is no name of a repository: {error}") from None
    except OfflineModeIsEnabled:
        raise WeightsUnavailable(
            f"HF_HUB_OFFLINE is set, so {name} is not asked. Unset it to fetch weights."
        ) from None
    except httpx2.HTTPError as error:
        raise WeightsUnavailable(
            f"{name} cannot be reached ({type(error).__name__}). Check the network, a proxy and "
            "HF_ENDPOINT, then run this again: it goes on where it stopped."
        ) from None
    except OSError as error:
        raise WeightsUnavailable(_disk(name, error)) from None


def _refusal(name: str, status: int, token: str | None) -> str:
    if status == 401 and token:
        return (
            "Hugging Face does not accept the token. Make one that may read gated repositories at "
            "https://huggingface.co/settings/tokens."
        )
    if status == 401:
        return (
            f"{name} is not there, or not for everybody. Give an access token as HF_TOKEN; "
            "https://huggingface.co/settings/tokens makes one."
        )
    if status == 403:
        return (
            f"The token may not read {name}. At https://huggingface.co/settings/tokens, allow it "
            "to read the gated repositories that its account may read."
        )
    if status == 404:
        return f"There is no {name} on Hugging Face. Check the name and HF_ENDPOINT."
    return f"{name} answered {status}. Run this again later: it goes on where it stopped."


def _disk(name: str, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full; {name} did not fit. Make room or choose another folder, then run "
            "this again: it goes on where it stopped."
        )
    return f"{name} could not be saved: {error}. Check the folder, then run this again."
