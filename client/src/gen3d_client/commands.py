"""What each command does."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gen3d_client import cognito, option_words, plans, results
from gen3d_client import site as sites
from gen3d_client.access import client, opened
from gen3d_client.api import Api
from gen3d_client.client import Client, ask
from gen3d_client.errors import (
    ApiClientError,
    ExtraMissing,
    JobFailed,
    Refused,
    SignInNeeded,
    Unreachable,
)
from gen3d_client.follow import completed
from gen3d_client.key import VARIABLE, Key
from gen3d_client.models import COMPLETED, Answer, BatchJob, Created, Delivery, Job
from gen3d_client.plans import Plan
from gen3d_client.sign_ins import Kept, SignIn, Unfinished
from gen3d_client.site import Site
from gen3d_client.terminal import Progress, plain, table

_ANSWER = 80
"""Letters of a receiver's answer that a row of a table has room for."""


def login(options: argparse.Namespace) -> None:
    """Sign in, or take a key, and keep it."""
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
    if options.key:
        _take_key(site, options.json)
        return
    email = options.email or _asked("E-mail: ")
    tokens = ask(cognito.sign_in(site, email, _password(options.password_stdin)))
    Kept().keep(SignIn(site=site, tokens=tokens), last=True)
    said = f"Signed in at {site.address} as {email}."
    print(json.dumps({"address": site.address, "email": email}) if options.json else said)


def _take_key(site: Site, as_json: bool) -> None:
    """Keep a key that opens something there."""
    text = os.environ.get(VARIABLE) or _typed("Key: ")
    key = Key(text)
    ask(Api(site.api_url, key).prove())
    Kept().keep(SignIn(site=site, key=text), last=True)
    told = {"address": site.address, "keyId": key.key_id}
    print(json.dumps(told) if as_json else f"The key {key.key_id} is used at {site.address}.")


def logout(options: argparse.Namespace) -> None:
    """End a sign-in, here and at Cognito; a key is forgotten here."""
    kept = Kept()
    found = kept.sign_in(options.at)
    address = found.site.address
    kept.forget(address)
    said = f"Signed out of {address}."
    if found.tokens:
        ask(cognito.sign_out(found.site, found.tokens))
    else:
        said = f"The key for {address} is forgotten here. It opens it until it is withdrawn."
    print(json.dumps({"address": address}) if options.json else said)


def _listed(as_json: bool, found: Iterable[Answer], rows: Iterable[Sequence[str]]) -> None:
    """Print what was found: for a program, or as a table whose first row is its head."""
    if as_json:
        print(json.dumps([each.as_json() for each in found], ensure_ascii=False))
        return
    print(table([[plain(cell) for cell in row] for row in rows]))


def list_keys(options: argparse.Namespace) -> None:
    """List one's keys."""
    with client(Kept(), options.at) as gen3d:
        found = gen3d.keys()
    rows = [
        (key.key_id, " ".join(key.rights), str(key.jobs_per_day or "–"), _day(key.created_at),
         _day(key.used_at or "") or "never", key.name)
        for key in found
    ]  # fmt: skip
    head = ("key", "may", "jobs a day", "made", "used", "name")
    _listed(options.json, found, [head, *rows])


def make_key(options: argparse.Namespace) -> None:
    """Make a key, and print it alone, so that it can be handed on."""
    with client(Kept(), options.at) as gen3d:
        made = gen3d.make_key(options.name, options.right, options.jobs_per_day)
    print(json.dumps(made.as_json(), ensure_ascii=False) if options.json else made.key)
    print("gen3d: It is shown this once.", file=sys.stderr)


def withdraw_key(options: argparse.Namespace) -> None:
    """Withdraw a key."""
    with client(Kept(), options.at) as gen3d:
        gen3d.withdraw_key(options.key)
    said = f"The key {options.key} opens nothing any more, from within a minute on."
    print(json.dumps({"keyId": options.key}) if options.json else said)


def list_webhooks(options: argparse.Namespace) -> None:
    """List one's webhooks."""
    with client(Kept(), options.at) as gen3d:
        found = gen3d.webhooks()
    rows = [
        (each.webhook_id, "ended, by a 410" if each.stopped_at else "is told",
         _day(each.created_at), " ".join(each.events), each.url)
        for each in found
    ]  # fmt: skip
    head = ("webhook", "state", "made", "told of", "address")
    _listed(options.json, found, [head, *rows])


def add_webhook(options: argparse.Namespace) -> None:
    """Register an address; its secret is printed alone, so that it can be handed on."""
    with client(Kept(), options.at) as gen3d:
        made = gen3d.add_webhook(options.url, options.event)
    print(json.dumps(made.as_json(), ensure_ascii=False) if options.json else made.secret)
    print(
        f"gen3d: The webhook {made.webhook_id} signs with it. It is shown this once.",
        file=sys.stderr,
    )


def withdraw_webhook(options: argparse.Namespace) -> None:
    """Withdraw a webhook."""
    with client(Kept(), options.at) as gen3d:
        gen3d.withdraw_webhook(options.webhook)
    said = f"The webhook {options.webhook} is told nothing any more."
    print(json.dumps({"webhookId": options.webhook}) if options.json else said)


def list_deliveries(options: argparse.Namespace) -> None:
    """List what a webhook was told, and what it answered last."""
    with client(Kept(), options.at) as gen3d:
        found = gen3d.deliveries(options.webhook, options.most)
    rows = [
        (each.delivery_id, each.state, each.type, each.job_id, _minute(each.created_at),
         str(len(each.attempts)), _answered(each))
        for each in found
    ]  # fmt: skip
    head = ("delivery", "state", "event", "job", "since", "tries", "last answer")
    _listed(options.json, found, [head, *rows])


def redeliver(options: argparse.Namespace) -> None:
    """Have something sent again."""
    with client(Kept(), options.at) as gen3d:
        delivery = gen3d.redeliver(options.webhook, options.delivery)
    said = f"{delivery.delivery_id} is sent again: gen3d webhooks deliveries {options.webhook}"
    print(json.dumps(delivery.as_json(), ensure_ascii=False) if options.json else said)


def mesh(options: argparse.Namespace) -> None:
    """Make a mesh of a photo."""
    plan = plans.from_words(options.photo, _parts(options), options.url, options.depth)
    out = options.out or Path(f"{plan.stem}.glb")
    results.check_writable(out)
    kept, plan = Kept(), _from_anywhere(plan)
    site, credentials = opened(kept, options.at)
    with Client(site.api_url, credentials) as gen3d, _watching(options) as watching:

        def begun(created: Created) -> None:
            kept.answered(once)
            watching.job_id = created.job_id
            note = Unfinished(
                address=site.address,
                plan=plan,
                out=out.resolve(),
                upload=created.forms,
            )
            kept.note(created.job_id, note)

        once = kept.once(site.address, plan)
        try:
            job = gen3d.make(plan, watching.progress, begun, options.wait, once.word)
        except JobFailed:
            kept.done(watching.job_id)
            _offer_draft(gen3d.job(watching.job_id))
            raise
        except Refused as error:
            kept.answered(once)
            if watching.job_id and error.name != "LimitReached":  # which passes
                kept.done(watching.job_id)
            raise
        _finish(gen3d, kept, job, out, options)


def batch(options: argparse.Namespace) -> None:
    """Make meshes of many photos; what comes of each is told, and one that fails keeps no other."""
    wanted = [plans.from_words(None, [], url) for url in options.urls]
    if options.manifest:
        wanted += plans.from_manifest(options.manifest)
    if bool(wanted) == bool(options.go_on):
        raise ApiClientError("Name photos by their addresses or --manifest, or a batch by --go-on.")
    results.check_writable(options.out / "a.glb")
    kept = Kept()
    site, credentials = opened(kept, options.at)
    with Client(site.api_url, credentials) as gen3d, _watching(options) as watching:
        batch_id = options.go_on or _begun(gen3d, kept, site, wanted)
        watching.again = f"gen3d batch --go-on {batch_id}"
        found = gen3d.finish_batch(batch_id, watching.progress, options.wait)
        rows = [_row(gen3d, n, each, options.out) for n, each in enumerate(found.jobs)]
        watching.progress.clear()
    if options.json:
        said = {**found.as_json(), "written": [row[1] for row in rows if row[0] == COMPLETED]}
        print(json.dumps(said, ensure_ascii=False))
    else:
        print(table([("photo", "status", "mesh"), *((str(n), *row) for n, row in enumerate(rows))]))
    failed = sum(status != COMPLETED for status, _ in rows)
    if failed:
        raise JobFailed(f"{failed} of {len(rows)} photos came to nothing.")


def _begun(gen3d: Client, kept: Kept, site: Site, wanted: list[Plan]) -> str:
    photos = [{"imageUrl": plan.url, "objects": plan.request()} for plan in wanted]
    once = kept.once(site.address, *wanted)
    try:
        batch_id = gen3d.create_batch(photos, once.word).batch_id
    except Refused:
        kept.answered(once)
        raise
    kept.answered(once)
    return batch_id


def _row(gen3d: Client, n: int, each: BatchJob, folder: Path) -> tuple[str, str]:
    """How a photo ended, and its mesh or why there is none; one that is there is left."""
    if each.error:
        return "refused", plain(each.error.message)
    job = gen3d.job(each.job_id)
    if job.status != COMPLETED:
        return job.status, plain(job.why)
    mesh = folder / f"{n:02}-{results.file_name(job.name)}.glb"
    if not mesh.exists():
        gen3d.save(job, mesh)
    return job.status, str(mesh)


def _parts(options: argparse.Namespace) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = options.parts or []
    shows = {"--click", "--box", "--text", "--certainty", "--polygon", "--mask", "--object"}
    if options.auto and any(option in shows for option, _ in parts):
        raise ApiClientError("--auto takes what stands out: leave out what shows an object.")
    return parts


def _from_anywhere(plan: Plan) -> Plan:
    """A plan that means the same files in whichever folder it is gone on with."""
    objects = [
        wanted.model_copy(update={"mask": wanted.mask and wanted.mask.resolve()})
        for wanted in plan.objects
    ]
    photo, depth = (each and each.resolve() for each in (plan.photo, plan.depth))
    return plan.model_copy(update={"photo": photo, "objects": objects, "depth": depth})


def jobs(options: argparse.Namespace) -> None:
    """List one's jobs."""
    with client(Kept(), options.at) as gen3d:
        found = gen3d.jobs(options.most)
    rows = [
        (job.job_id, job.status, _minute(job.created_at), str(job.objects), job.name)
        for job in found
    ]
    head = ("job", "status", "created", "objects", "name")
    _listed(options.json, found, [head, *rows])


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
    """What is waited for; "" until there is something."""

    progress: Progress
    job_id: str = ""
    again: str = ""
    """How it is gone on with, where that is not by a job's id."""


@contextmanager
def _watching(options: argparse.Namespace, job_id: str = "") -> Iterator[_Watching]:
    """Show how far a job is; where that breaks off, it is said how to go on with it."""
    with Path(os.devnull).open("w") as nowhere:
        to = nowhere if options.quiet else sys.stderr
        watching = _Watching(Progress(to, bar=to.isatty()), job_id)
        try:
            yield watching
        except (KeyboardInterrupt, Unreachable, SignInNeeded):  # while the job goes on
            watching.progress.clear()
            again = watching.again or (watching.job_id and f"gen3d watch {watching.job_id}")
            if again:
                print(f"gen3d: Go on with it: {again}", file=sys.stderr)
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


def _typed(question: str) -> str:
    """A secret, from who sits there, or else a line of what is piped in."""
    return getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline().strip()


def _day(moment: str) -> str:
    return moment[:10]


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _answered(delivery: Delivery) -> str:
    """What a receiver answered last, or why it did not."""
    if not delivery.attempts:
        return ""
    last = delivery.attempts[-1]
    said = last.error.message if last.error else last.answer
    words = f"{last.status or ''} {said}".strip()
    return words if len(words) <= _ANSWER else f"{words[: _ANSWER - 1]}…"


def _asked(question: str, ask_for: object = input) -> str:
    if not sys.stdin.isatty():
        raise SignInNeeded(
            "There is nobody to ask. Give --email, and the password by GEN3D_PASSWORD or "
            "--password-stdin."
        )
    assert callable(ask_for)
    return str(ask_for(question))
