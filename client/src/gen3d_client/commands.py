"""What each command does."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gen3d_client import cognito, option_words, plans, results
from gen3d_client import site as sites
from gen3d_client.client import Client, ask
from gen3d_client.cognito import Session, Tokens
from gen3d_client.errors import (
    ApiClientError,
    ExtraMissing,
    JobFailed,
    Refused,
    SignInNeeded,
    Unreachable,
)
from gen3d_client.follow import completed
from gen3d_client.models import COMPLETED, Created, Job
from gen3d_client.plans import Plan
from gen3d_client.sign_ins import Kept, SignIn, Unfinished
from gen3d_client.terminal import Progress, plain, table


def client(kept: Kept, address: str) -> Client:
    """A client of the sign-in that is kept for an address."""
    found = kept.sign_in(address)

    def keep(tokens: Tokens) -> None:
        kept.keep(found.model_copy(update={"tokens": tokens}))

    return Client(found.site.api_url, Session(found.site, found.tokens, keep))


def login(options: argparse.Namespace) -> None:
    """Sign in, and keep it."""
    address = options.address or options.at
    if options.config:
        try:
            text = options.config.read_bytes()
        except OSError as error:
            raise ApiClientError(f"{options.config} cannot be read: {error.strerror}.") from None
        site = sites.parse(text, sites.normal(address) if address else "")
        if not address:
            site = site.model_copy(update={"address": sites.normal(site.api_url)})
    elif address:
        site = ask(sites.find(address))
    else:
        raise ApiClientError("Name the address of the page: gen3d login https://…")
    email = options.email or _asked("E-mail: ")
    tokens = ask(cognito.sign_in(site, email, _password(options.password_stdin)))
    Kept().keep(SignIn(site=site, tokens=tokens), last=True)
    said = f"Signed in at {site.address} as {email}."
    print(json.dumps({"address": site.address, "email": email}) if options.json else said)


def logout(options: argparse.Namespace) -> None:
    """End a sign-in, here and at Cognito."""
    kept = Kept()
    found = kept.sign_in(options.at)
    address = found.site.address
    kept.forget(address)
    ask(cognito.sign_out(found.site, found.tokens))
    print(json.dumps({"address": address}) if options.json else f"Signed out of {address}.")


def mesh(options: argparse.Namespace) -> None:
    """Make a mesh of a photo."""
    plan = plans.from_words(options.photo, options.parts or [], options.text)
    out = options.out or Path(f"{options.photo.stem}.glb")
    results.check_writable(out)
    kept = Kept()
    address = kept.sign_in(options.at).site.address
    with client(kept, address) as gen3d, _watching(options) as watching:

        def begun(created: Created) -> None:
            watching.job_id = created.job_id
            note = Unfinished(
                address=address,
                plan=_from_anywhere(plan),
                out=out.resolve(),
                upload=created.upload,
            )
            kept.note(created.job_id, note)

        try:
            job = gen3d.make(plan, watching.progress, begun, options.wait)
        except JobFailed:
            kept.done(watching.job_id)
            _offer_draft(gen3d.job(watching.job_id))
            raise
        except Refused as error:
            if watching.job_id and error.name != "LimitReached":  # which passes
                kept.done(watching.job_id)
            raise
        _finish(gen3d, kept, job, out, options)


def _from_anywhere(plan: Plan) -> Plan:
    """A plan that means the same files in whichever folder it is gone on with."""
    objects = [
        wanted.model_copy(update={"mask": wanted.mask and wanted.mask.resolve()})
        for wanted in plan.objects
    ]
    return plan.model_copy(update={"photo": plan.photo.resolve(), "objects": objects})


def jobs(options: argparse.Namespace) -> None:
    """List one's jobs."""
    with client(Kept(), options.at) as gen3d:
        found = gen3d.jobs(options.most)
    if options.json:
        print(json.dumps([job.as_json() for job in found], ensure_ascii=False))
        return
    rows = [
        (job.job_id, job.status, job.created_at[:16].replace("T", " "), str(job.objects), job.name)
        for job in found
    ]
    head = ("job", "status", "created", "objects", "name")
    print(table([head, *([plain(each) for each in row] for row in rows)]))


def watch(options: argparse.Namespace) -> None:
    """See a job through; one that was begun here, with what was asked for it then."""
    kept = Kept()
    going = kept.unfinished(options.job)
    address = options.at or (going.address if going else "")
    out = options.out or (going.out if going else None)
    if out:
        results.check_writable(out)
    with client(kept, address) as gen3d, _watching(options, options.job) as watching:
        plan, upload = (going.plan, going.upload) if going else (None, None)
        job = gen3d.go_on(options.job, plan, upload, watching.progress, options.wait)
        _finish(gen3d, kept, job, out, options)


def retry(options: argparse.Namespace) -> None:
    """Take a job up again, and see it through."""
    chosen = option_words.parse(options.option)
    if chosen and not options.anew:
        raise ApiClientError("Say which object --option is for, by --object N.")
    objects = [{"n": n, **({"options": chosen} if chosen else {})} for n in options.anew]
    if options.out:
        results.check_writable(options.out)
    kept = Kept()
    with client(kept, options.at) as gen3d, _watching(options, options.job) as watching:
        before = gen3d.job(options.job).run
        gen3d.retry(options.job, objects, options.scene)
        job = gen3d.go_on(
            options.job, told=watching.progress, seconds=options.wait, after_run=before
        )
        _finish(gen3d, kept, job, options.out, options)


def fetch(options: argparse.Namespace) -> None:
    """Write a job's files."""
    with client(Kept(), options.at) as gen3d:
        job = gen3d.job(options.job)
        out = options.out or Path(f"{results.file_name(Path(job.name or job.job_id).stem)}.glb")
        results.check_writable(out)
        if not (options.draft or job.ended):
            raise ApiClientError(
                f"The job is {job.status}, and not done. See it through: gen3d watch {job.job_id}"
            )
        _written(gen3d.save(job, out, options.draft), job, options.json)


def mcp(options: argparse.Namespace) -> None:
    """Serve agents."""
    try:
        from gen3d_client.mcp_server import serve
    except ModuleNotFoundError as error:
        raise ExtraMissing("The MCP server", "mcp", error.name) from None
    serve(options.at, options.folder)


@dataclass
class _Watching:
    """A job that is waited for; "" until there is one."""

    progress: Progress
    job_id: str = ""


@contextmanager
def _watching(options: argparse.Namespace, job_id: str = "") -> Iterator[_Watching]:
    """Show how far a job is; where that breaks off, it is said how to go on with it."""
    with Path(os.devnull).open("w") as nowhere:
        to = nowhere if options.quiet else sys.stderr
        watching = _Watching(Progress(to, bar=to.isatty()), job_id)
        try:
            yield watching
        except (KeyboardInterrupt, Unreachable):  # neither of which keeps the job from going on
            watching.progress.clear()
            if watching.job_id:
                print(f"gen3d: Go on with it: gen3d watch {watching.job_id}", file=sys.stderr)
            raise
        finally:
            watching.progress.clear()


def _finish(
    gen3d: Client, kept: Kept, job: Job, out: Path | None, options: argparse.Namespace
) -> None:
    """Say how a job ended, and write its files where somebody wants them."""
    if job.status != COMPLETED:
        kept.done(job.job_id)
        _offer_draft(job)
    completed(job)
    _written(gen3d.save(job, out) if out else [], job, options.json)
    kept.done(job.job_id)
    lost = [thing for thing in job.objects if not thing.files]
    if lost:
        why = lost[0].error.message if lost[0].error else ""
        raise JobFailed(f"{len(lost)} of {len(job.objects)} objects came to nothing. {why}")


def _written(files: list[Path], job: Job, as_json: bool) -> None:
    if as_json:
        said = {**job.as_json(), "written": [str(file) for file in files]}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for file in files:
            print(file)


def _offer_draft(job: Job) -> None:
    if any(thing.draft for thing in job.objects):
        print(f"gen3d: A draft of it stands: gen3d fetch {job.job_id} --draft", file=sys.stderr)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    given = os.environ.get("GEN3D_PASSWORD")
    return given or _asked("Password: ", getpass.getpass)


def _asked(question: str, ask_for: object = input) -> str:
    if not sys.stdin.isatty():
        raise SignInNeeded(
            "There is nobody to ask. Give --email, and the password by GEN3D_PASSWORD or "
            "--password-stdin."
        )
    assert callable(ask_for)
    return str(ask_for(question))
