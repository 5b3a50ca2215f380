"""Who is told what, once, whichever trigger comes first, and what the mails say."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import StringIO
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from gen3d.errors import MailFailed
from gen3d.jobs import Failure, Job, JobObject, ObjectStatus, Stage, Stages, Status
from gen3d.paths import MESH_FORMATS
from gen3d.settings import settings
from gen3d.store import FileStore, JobStore
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from tests.support import (
    ADMIN,
    EMAIL,
    JOB_ID,
    OWNER,
    PREFIX,
    SENDER,
    Context,
    encode,
    finished_object,
    load_event,
    make_job,
    notify,
)

from .conftest import Calls

Mailbox = Callable[[], list[EmailMessage]]
PutJob = Callable[[Job], Job]

PICTURE = encode(Pillow.new("RGB", (8, 8), "teal"))
FAILURE = Failure(name="EmptySurface", message="No surface. Click again.", stage="EachObject")
BREAKS = ("execution_failed", "execution_timed_out", "execution_aborted")


def call(name: str) -> None:
    notify.handler(load_event(f"notify/{name}"), Context())


@pytest.fixture
def completed(put_job: PutJob, files: FileStore) -> Job:
    """A job that has ended well, with its result and a preview."""
    files.write(f"{PREFIX}result.json", f'{{"owner":"{OWNER}","jobId":"{JOB_ID}"}}'.encode(), "")
    files.write(f"{PREFIX}objects/0/preview.png", PICTURE, "image/png")
    stages = Stages.model_validate(
        {"initialize": {"start": "2026-11-22T23:00:00Z", "end": "2026-11-22T23:00:01.5Z"}}
    )
    job = make_job(Status.COMPLETED, objects={"0": finished_object()}, stages=stages)
    return put_job(job)


@pytest.fixture
def failed(put_job: PutJob) -> Job:
    """A job that has failed."""
    return put_job(make_job(Status.FAILED, error=FAILURE))


def recipients(mails: list[EmailMessage]) -> list[str]:
    return [str(mail["To"]) for mail in mails]


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


# Triggers


@pytest.mark.parametrize("trigger", ["completed", "result_created"])
def test_a_finished_job_is_told_to_owner_and_admin(
    trigger: str, completed: Job, mailbox: Mailbox
) -> None:
    call(trigger)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize(
    "order", [("completed", "result_created"), ("result_created", "completed")]
)
def test_the_second_trigger_sends_nothing(
    order: tuple[str, str], completed: Job, mailbox: Mailbox
) -> None:
    for trigger in (*order, *order):
        call(trigger)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_two_triggers_at_once_send_one_mail_each(
    completed: Job, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second trigger comes while the first is between its claim and SES."""
    import delivery

    real = delivery._mime
    inside: list[None] = []

    def mime(*args: Any) -> EmailMessage:
        if not inside:
            inside.append(None)
            call("result_created")
        return real(*args)

    monkeypatch.setattr(delivery, "_mime", mime)
    call("completed")
    assert sorted(recipients(mailbox())) == [EMAIL, ADMIN]


def test_the_result_may_come_before_the_record_says_so(
    put_job: PutJob, files: FileStore, mailbox: Mailbox
) -> None:
    files.write(f"{PREFIX}result.json", f'{{"owner":"{OWNER}","jobId":"{JOB_ID}"}}'.encode(), "")
    put_job(make_job(Status.RECONSTRUCTING, objects={"0": finished_object()}))
    call("result_created")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_failed_job_is_told_once(breaks: str, failed: Job, mailbox: Mailbox) -> None:
    call("failed")
    call(breaks)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("status", [Status.INITIALIZING, Status.AWAITING_MASK])
def test_a_photo_that_took_long_calls_its_owner_back(
    status: Status, put_job: PutJob, mailbox: Mailbox
) -> None:
    put_job(make_job(status))
    call("prepared")
    call("prepared")
    assert recipients(mailbox()) == [EMAIL]
    assert f"/jobs/{JOB_ID}" in part(mailbox()[0], "plain")


def test_nobody_is_called_back_to_a_job_that_has_its_mask(
    put_job: PutJob, mailbox: Mailbox
) -> None:
    put_job(make_job(Status.RECONSTRUCTING))
    call("prepared")
    assert mailbox() == []


def test_an_expired_job_is_told_to_the_owner_alone(put_job: PutJob, mailbox: Mailbox) -> None:
    put_job(make_job(Status.EXPIRED))
    call("expired")
    assert recipients(mailbox()) == [EMAIL]


@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        ("execution_failed", "InternalError"),
        ("execution_timed_out", "ExecutionTimedOut"),
        ("execution_aborted", "ExecutionAborted"),
    ],
)
@pytest.mark.parametrize("status", [Status.CREATED, Status.INITIALIZING, Status.RECONSTRUCTING])
def test_a_record_that_nobody_could_correct_is_corrected(
    breaks: str, error: str, status: Status, put_job: PutJob, jobs: JobStore, mailbox: Mailbox
) -> None:
    put_job(make_job(status))
    call(breaks)
    job = jobs.get(OWNER, JOB_ID)
    assert job.status is Status.FAILED
    assert job.error is not None
    assert job.error.name == error
    assert recipients(mailbox()) == [EMAIL, ADMIN]
    call(breaks)
    assert len(mailbox()) == 2


@pytest.mark.parametrize(
    "trigger", ["prepared", "completed", "result_created", "failed", "expired", *BREAKS]
)
def test_a_cancelled_job_gives_no_mail(
    trigger: str, put_job: PutJob, files: FileStore, jobs: JobStore, mailbox: Mailbox
) -> None:
    files.write(f"{PREFIX}result.json", f'{{"owner":"{OWNER}","jobId":"{JOB_ID}"}}'.encode(), "")
    put_job(make_job(Status.CANCELLED))
    call(trigger)
    assert mailbox() == []
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED


@pytest.mark.parametrize(
    "trigger", ["prepared", "completed", "result_created", "failed", "expired", *BREAKS]
)
def test_a_removed_job_gives_no_mail(trigger: str, mailbox: Mailbox) -> None:
    call(trigger)
    assert mailbox() == []


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_break_after_the_end_changes_nothing(
    breaks: str, completed: Job, jobs: JobStore, mailbox: Mailbox
) -> None:
    call(breaks)
    assert mailbox() == []
    assert jobs.get(OWNER, JOB_ID).status is Status.COMPLETED


def test_an_event_about_something_else_is_left(mailbox: Mailbox) -> None:
    event = load_event("notify/result_created") | {"detail-type": "Object Deleted"}
    notify.handler(event, Context())
    assert mailbox() == []


@pytest.mark.parametrize("name", ["image.x/result.json", "objects/0/result.json"])
def test_a_result_that_lies_elsewhere_gives_no_mail(
    name: str, completed: Job, files: FileStore, mailbox: Mailbox, logs: StringIO
) -> None:
    result = f'{{"owner":"{OWNER}","jobId":"{JOB_ID}"}}'
    files.write(f"{PREFIX}{name}", result.encode(), "application/json")
    event = load_event("notify/result_created")
    event["detail"]["object"]["key"] = f"{PREFIX}{name}"
    notify.handler(event, Context())
    assert mailbox() == []
    assert "not its job's own" in logs.getvalue()


# SES


def test_one_refused_mail_does_not_stop_the_other_and_is_sent_by_the_next_try(
    completed: Job, mailbox: Mailbox, calls: Calls
) -> None:
    calls.fail("SendEmail", "MessageRejected")
    with pytest.raises(MailFailed, match="verified"):
        call("completed")
    assert recipients(mailbox()) == [ADMIN]
    call("result_created")
    assert recipients(mailbox()) == [ADMIN, EMAIL]


def test_ses_out_of_reach_is_a_failed_mail_too(
    completed: Job, mailbox: Mailbox, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = EndpointConnectionError(endpoint_url="https://email.us-east-1.amazonaws.com")
    monkeypatch.setitem(calls._failures, "SendEmail", [unreachable])
    with pytest.raises(MailFailed):
        call("completed")
    assert recipients(mailbox()) == [ADMIN]


def test_a_mail_that_was_cut_off_is_sent_later(
    completed: Job, mailbox: Mailbox, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function was ended by its timeout between the claim of a mail and SES."""

    class CutOff(BaseException):
        pass

    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 1)
    monkeypatch.setitem(calls._failures, "SendEmail", [CutOff()])
    with pytest.raises(CutOff):
        call("completed")
    call("result_created")
    assert sorted(recipients(mailbox())) == [EMAIL, ADMIN]


def test_mails_come_from_the_stacks_address(completed: Job, mailbox: Mailbox, calls: Calls) -> None:
    call("completed")
    sent = calls.of("SendEmail")
    assert {s["FromEmailAddress"] for s in sent} == {SENDER}
    assert {s["ConfigurationSetName"] for s in sent} == {"gen3d"}
    assert {str(mail["From"]) for mail in mailbox()} == {f"Gen3D <{SENDER}>"}


# What the mails say


def test_the_owners_mail_shows_and_links_the_mesh(completed: Job, mailbox: Mailbox) -> None:
    call("completed")
    mail = mailbox()[0]
    text, html = part(mail, "plain"), part(mail, "html")

    assert mail["Subject"] == "Your 3D model is ready: coffee"
    (picture,) = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert picture.get_content() == PICTURE
    assert f'src="{picture["Content-ID"][1:-1]}"'.replace('"', "") in html.replace(
        'src="cid:', "src="
    ).replace('"', "")
    assert picture.get_content_disposition() == "inline"
    for ending in MESH_FORMATS:
        for form in (text, html):
            assert f"objects/0/mesh.{ending}" in form
    for fact in ("coffee.jpg", "Cup", "2,400", "1,200", "5,000"):
        assert fact in text
        assert fact in html
    for form in (text, html):
        assert f"https://gen3d.example.com/jobs/{JOB_ID}" in form
        assert "X-Amz-Signature" in form
        assert "splat.ply" in form


def test_a_mail_without_a_preview_still_goes(
    completed: Job, files: FileStore, mailbox: Mailbox
) -> None:
    files.remove(f"{PREFIX}objects/0/preview.png")
    call("completed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_an_object_that_failed_is_explained(put_job: PutJob, mailbox: Mailbox) -> None:
    spoon = JobObject(n=1, name="Spoon", status=ObjectStatus.FAILED, error=FAILURE)
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object(), "1": spoon}))
    call("completed")
    owner, admin = mailbox()
    assert "Spoon" in part(owner, "plain")
    assert "No surface. Click again." in part(owner, "plain")
    assert "1 of 2" in part(admin, "plain")


def test_the_owner_of_a_failed_job_hears_what_to_do(failed: Job, mailbox: Mailbox) -> None:
    call("failed")
    for kind in ("plain", "html"):
        assert "No surface. Click again." in part(mailbox()[0], kind)


def test_the_admin_hears_where_it_failed_and_where_to_look(failed: Job, mailbox: Mailbox) -> None:
    call("failed")
    mail = mailbox()[1]
    arn = load_event("notify/failed")["executionArn"]
    for said in (JOB_ID, EMAIL, "EachObject", "EmptySurface", "No surface", arn, "fields @timest"):
        assert said in part(mail, "plain")
    for group in settings().log_groups.split(","):
        assert group in part(mail, "plain")


def test_only_the_admin_sees_a_raw_error(put_job: PutJob, mailbox: Mailbox) -> None:
    raw = Failure(name="RuntimeError", message="at 0x7f", stage="EachObject")
    put_job(make_job(Status.FAILED, error=raw))
    call("failed")
    owner, admin = mailbox()
    assert "0x7f" not in owner.as_string()
    assert "at 0x7f" in part(admin, "plain")


HOSTILE = '<script>alert(1)</script>"&\r\nBcc: eve@example.com'


def test_hostile_names_stay_text(put_job: PutJob, mailbox: Mailbox) -> None:
    error = Failure(name="InvalidMask", message=HOSTILE, stage=HOSTILE)
    spoon = JobObject(n=1, name=HOSTILE, status=ObjectStatus.FAILED, error=error)
    put_job(
        make_job(
            Status.COMPLETED,
            filename=HOSTILE,
            name=HOSTILE,
            objects={"0": finished_object(name=HOSTILE), "1": spoon},
        )
    )
    call("completed")
    for mail in mailbox():
        assert mail["Bcc"] is None
        assert "<script" not in part(mail, "html")
    assert "&lt;script&gt;" in part(mailbox()[0], "html")


@pytest.mark.parametrize("name", ["=?utf-8?B?5qSF5a2?=", "=?UTF-8?Q?Bild_1?="])
def test_a_name_that_looks_encoded_stays_as_it_is(name: str) -> None:
    import delivery
    import mails

    job = make_job(Status.FAILED, name=name, error=FAILURE)
    mail = delivery._mime(mails.failed(job, "https://example.com"), SENDER)
    assert (
        name.replace("=?", "= ?") in message_from_bytes(mail.as_bytes(), policy=default)["Subject"]
    )


@given(st.text(max_size=100))
def test_any_name_makes_a_mail(name: str) -> None:
    import delivery
    import mails

    name = name.encode("utf-8", "ignore").decode()  # as JSON from outside, no lone surrogates
    job = make_job(Status.FAILED, name=name, filename=name, error=FAILURE)
    mail = delivery._mime(mails.failed(job, "https://example.com"), SENDER)
    assert mail.as_bytes()


def test_a_stage_that_has_not_ended_has_no_time() -> None:
    import mails

    assert mails._seconds(Stages(initialize=Stage())) == ""


def test_an_unknown_kind_is_refused(completed: Job, mailbox: Mailbox, logs: StringIO) -> None:
    with pytest.raises(ValueError, match="kind"):
        notify.handler(load_event("notify/completed") | {"kind": "odd"}, Context())
    assert mailbox() == []
