"""One photo through a stack on this machine, with what only that has: the mail and the history."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx

from gen3d_client import cognito
from gen3d_client.client import Client, ask
from gen3d_client.cognito import Session, Tokens
from gen3d_client.errors import ApiClientError, JobFailed
from gen3d_client.models import Job
from gen3d_client.plans import Plan
from gen3d_client.site import Site
from gen3d_client.terminal import Progress

_MAIL_SECONDS = 20
_PACE = 0.25
"""Seconds between two looks at a job: nobody pays for one here."""


def make_account(outputs: dict[str, str], email: str, password: str) -> None:
    """Make a person's account where there is none, without a mail to wait for."""
    users = boto3.client("cognito-idp")
    try:
        users.sign_up(
            ClientId=outputs["UserPoolClientId"],
            Username=email,
            Password=password,
            UserAttributes=[{"Name": "email", "Value": email}],
        )
    except users.exceptions.UsernameExistsException:
        return
    users.admin_confirm_sign_up(UserPoolId=outputs["UserPoolId"], Username=email)


def site(url: str, outputs: dict[str, str]) -> Site:
    """Where a stack on this machine is."""
    return Site(
        address=url,
        region=outputs["Region"],
        api_url=f"{url}/api",
        user_pool_id=outputs["UserPoolId"],
        user_pool_client_id=outputs["UserPoolClientId"],
        endpoint=url,
    )


def sign_in(url: str, outputs: dict[str, str], email: str, password: str) -> Tokens:
    """Sign somebody in, who is given an account where there is none."""
    make_account(outputs, email, password)
    return ask(cognito.sign_in(site(url, outputs), email, password))


@contextmanager
def client(url: str, outputs: dict[str, str], email: str, password: str) -> Iterator[Client]:
    """A client of somebody's, who is given an account where there is none."""
    session = Session(site(url, outputs), sign_in(url, outputs, email, password))
    with Client(f"{url}/api", session, _PACE) as made:
        yield made


def run(gen3d: Client, plan: Plan, out: Path, console: str) -> None:
    """Run a job and write what comes out, with a line for each thing that happens.

    Parameters
    ----------
    gen3d : Client
    plan : Plan
        A photo, and an object of it.
    out : pathlib.Path
        Folder for the files.
    console : str
        Address of our pages, which show the history and the mail.

    Raises
    ------
    ApiClientError
        The job failed, with the sentence that the person would read; a draft of the object is in
        the folder where one stands.
    """
    progress = Progress(sys.stdout)
    begun: list[str] = []
    try:
        job = gen3d.make(plan, progress, lambda created: begun.append(created.job_id))
    except JobFailed as error:
        raise _with_draft(gen3d, gen3d.job(begun[0]), out, error) from None
    out.mkdir(parents=True, exist_ok=True)
    gen3d.save(job, out)
    _write_mail(out, console, job.job_id)
    _write_history(out, console, job.job_id)
    size = sum(file.stat().st_size for file in out.iterdir() if file.is_file())
    names = ", ".join(sorted(file.name for file in out.iterdir()))
    progress.say(f"{out}/ holds {names} ({size / 1e6:.1f} MB)")


def _with_draft(gen3d: Client, job: Job, out: Path, error: JobFailed) -> JobFailed:
    """The failure; of what failed the draft is written where one stands."""
    if not any(thing.draft for thing in job.objects):
        return error
    folder = out / "draft"
    folder.mkdir(parents=True, exist_ok=True)
    gen3d.save(job, folder, draft=True)
    return JobFailed(f"{error} A draft of it stands: it is in {folder}.")


def _write_history(out: Path, console: str, job_id: str) -> None:
    """The execution ends after the job has and its mails went out, so it is waited for, too.

    Who stops the stack before has cut it off, and the next start goes on with it.
    """
    deadline = time.monotonic() + _MAIL_SECONDS
    while True:
        answer = httpx.get(f"{console}executions/{job_id}/history.json", timeout=30)
        running = answer.json()["detail"]["status"] == "RUNNING"
        if not running or time.monotonic() > deadline:
            break
        time.sleep(0.25)
    (out / "execution.json").write_bytes(answer.content)


def _write_mail(out: Path, console: str, job_id: str) -> None:
    """The mail is sent after the job has ended, so it is waited for a little."""
    deadline = time.monotonic() + _MAIL_SECONDS
    while time.monotonic() < deadline:
        for mail in httpx.get(f"{console}mail.json", timeout=30).json()["mails"]:
            if f"/jobs/{job_id}" in mail["html"]:  # the owner's, not the admin's
                (out / "mail.html").write_text(mail["html"])
                return
        time.sleep(0.25)
    raise ApiClientError("The job is complete, but no mail came; see the notify function's log.")
