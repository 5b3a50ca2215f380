"""What the client keeps between two commands: sign-ins, and jobs that are not done.

It lies in the person's folder for settings (``$GEN3D_HOME``, else ``$XDG_CONFIG_HOME/gen3d``, else
``~/.config/gen3d``), and nobody else may read it.
"""

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from gen3d_client.api import new_word
from gen3d_client.cognito import LOGIN, Tokens
from gen3d_client.errors import ApiClientError, SignInNeeded
from gen3d_client.models import Upload
from gen3d_client.plans import Plan
from gen3d_client.site import Site, normal

_JOB = re.compile(r"[0-9A-Za-z]{1,40}")


class SignIn(BaseModel):
    """Who is let in where: a person by tokens, or a program by a person's key."""

    site: Site
    tokens: Tokens | None = None
    key: str = ""


class _Word(BaseModel):
    word: str


class SignIns(BaseModel):
    """All sign-ins, by address; the last one is meant where none is named."""

    last: str = ""
    by_address: dict[str, SignIn] = {}


class Unfinished(BaseModel):
    """A job that was begun here, and what is to become of it."""

    address: str
    plan: Plan
    out: Path
    upload: Upload | None = None
    """Its form, while the photo may still have to go up."""


@dataclass(frozen=True)
class Once:
    """A word for a request, the same while it is sent again."""

    name: str
    word: str


class Kept:
    """The folder.

    Parameters
    ----------
    folder : pathlib.Path, optional
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _folder()

    def sign_in(self, address: str = "") -> SignIn:
        """A sign-in.

        Raises
        ------
        SignInNeeded
            There is none.
        """
        kept = self._sign_ins()
        wanted = normal(address) if address else kept.last
        found = kept.by_address.get(wanted)
        if found is None:
            where = f" at {wanted}" if wanted else ""
            raise SignInNeeded(
                f"Nobody is signed in{where}. Sign in: {LOGIN} {wanted or 'https://…'}"
            )
        return found

    def keep(self, sign_in: SignIn, last: bool = False) -> None:
        """Keep a sign-in."""
        kept = self._sign_ins()
        address = sign_in.site.address
        kept.by_address[address] = sign_in
        if last or not kept.last:
            kept.last = address
        self._write("sign-ins.json", kept)

    def forget(self, address: str) -> None:
        """Forget a sign-in."""
        kept = self._sign_ins()
        kept.by_address.pop(address, None)
        if kept.last == address:
            kept.last = next(iter(kept.by_address), "")
        self._write("sign-ins.json", kept)

    def unfinished(self, job_id: str) -> Unfinished | None:
        """What is to become of a job, if it was begun here."""
        try:
            return Unfinished.model_validate_json((self.folder / _name(job_id)).read_bytes())
        except (OSError, ValidationError):
            return None

    def note(self, job_id: str, unfinished: Unfinished) -> None:
        """Keep what is to become of a job."""
        self._write(_name(job_id), unfinished)

    def done(self, job_id: str) -> None:
        """Forget what was to become of a job."""
        (self.folder / _name(job_id)).unlink(missing_ok=True)

    def once(self, address: str, *plans: Plan) -> Once:
        """A word for plans: that of before, where it was sent and nobody heard the answer.

        So the same command, given again after it broke off there, makes nothing twice.
        """
        asked = " ".join([address, *(plan.model_dump_json() for plan in plans)])
        name = f"once/{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"
        try:
            word = _Word.model_validate_json((self.folder / name).read_bytes()).word
        except (OSError, ValidationError):
            word = new_word()
            self._write(name, _Word(word=word))
        return Once(name, word)

    def answered(self, once: Once) -> None:
        """Forget a word that was heard of: the next one means something else."""
        (self.folder / once.name).unlink(missing_ok=True)

    def _sign_ins(self) -> SignIns:
        path = self.folder / "sign-ins.json"
        try:
            return SignIns.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return SignIns()
        except (OSError, ValidationError):
            raise ApiClientError(
                f"{path} cannot be read. Delete it, and sign in again: {LOGIN}"
            ) from None

    def _write(self, name: str, content: BaseModel) -> None:
        """Replace a file at once: who reads it meanwhile has the old one or the new one."""
        path = self.folder / name
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as to:
                to.write(content.model_dump_json())
            beside.replace(path)
        except OSError as error:
            raise ApiClientError(
                f"{path} cannot be written: {error.strerror}. Name another folder by GEN3D_HOME."
            ) from None


def _name(job_id: str) -> str:
    if not _JOB.fullmatch(job_id):
        raise ApiClientError(f"{job_id!r} is no job's id. `gen3d jobs` lists yours.")
    return f"jobs/{job_id}.json"


def _folder() -> Path:
    named = os.environ.get("GEN3D_HOME")
    if named:
        return Path(named)
    settings = os.environ.get("XDG_CONFIG_HOME")
    return (Path(settings) if settings else Path.home() / ".config") / "gen3d"
