"""Who is told what, once, whichever trigger comes first, and what the mails say."""

import json
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import StringIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from gen3d.errors import DependencyUnavailable, MailFailed
from gen3d.formats import MESH_FORMATS
from gen3d.jobs import (
    RESUMABLE,
    Failure,
    Job,
    JobObject,
    ObjectStatus,
    StageTimes,
    Status,
    TimeSpan,
)
from gen3d_aws.store import FileStore, JobStore
from tests.support import (
    ADMIN,
    EMAIL,
    JOB_ID,
    OWNER,
    PREFIX,
    SENDER,
    Context,
    NotifySettings,
    client_error,
    encode,
    finished_object,
    load_event,
    make_job,
    mesh_object,
    notify,
    table,
    template,
)

from .conftest import Calls

Mailbox = Callable[[], list[EmailMessage]]
PutJob = Callable[[Job], Job]
Acts = list[Callable[[], object]]

PICTURE = encode(Pillow.new("RGB", (8, 8), "teal"))
FAILURE = Failure(name="EmptySurface", message="No surface. Click again.", stage="EachObject")
RESULT = json.dumps({"owner": OWNER, "jobId": JOB_ID, "run": 1}).encode()
BREAKS = ("execution_failed", "execution_timed_out", "execution_aborted")


def job_of_run_1(status: Status, run: int = 1, **changes: Any) -> Job:
    """A job whose first execution has begun, which is the one of the sample events."""
    return make_job(status, run=run, **changes)


def call(name: str) -> None:
    notify.handler(load_event(f"notify/{name}"), Context())


@pytest.fixture
def completed(put_job: PutJob, files: FileStore) -> Job:
    """A job that has ended well, with its result and a preview."""
    files.write(f"{PREFIX}result.json", RESULT, "")
    files.write(f"{PREFIX}objects/0/preview.png", PICTURE, "image/png")
    stages = StageTimes.model_validate(
        {"initialize": {"start": "2026-11-22T23:00:00Z", "end": "2026-11-22T23:00:01.5Z"}}
    )
    objects = {"0": finished_object()}
    job = job_of_run_1(Status.COMPLETED, completed_run=1, objects=objects, stages=stages)
    return put_job(job)


@pytest.fixture
def failed(put_job: PutJob) -> Job:
    """A job that has failed."""
    return put_job(job_of_run_1(Status.FAILED, error=FAILURE))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits, which take no time, in functions that have the time that the template gives them."""
    from gen3d_notify import delivery

    seconds = template()["Resources"]["NotifyFunction"]["Properties"]["Timeout"]
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: seconds * 1000)

    waits: list[float] = []
    began = time.time()
    fake = SimpleNamespace(time=lambda: began + sum(waits), sleep=waits.append)
    monkeypatch.setattr(delivery, "time", fake)
    return waits


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


def test_an_object_that_was_kept_among_several_is_shown_from_its_folder(
    put_job: PutJob, files: FileStore, mailbox: Mailbox
) -> None:
    files.write(f"{PREFIX}result.json", RESULT, "")
    files.write(f"{PREFIX}objects/0/seeds/7/preview.png", PICTURE, "image/png")
    kept = finished_object().model_copy(update={"folder": "seeds/7/"})
    objects = {"0": kept, "0.7": kept, "0.8": kept}
    put_job(job_of_run_1(Status.COMPLETED, completed_run=1, objects=objects))
    call("completed")
    owner, admin = mailbox()
    assert "Made by: 2 seeds, of which this one is kept" in part(owner, "plain")
    assert "/objects/0/seeds/7/splat.ply" in unquote(part(owner, "plain"))
    assert "image/png" in {image.get_content_type() for image in owner.walk()}
    assert "1 of 1" in part(admin, "plain")


@pytest.mark.parametrize(
    "order", [("completed", "result_created"), ("result_created", "completed")]
)
def test_the_second_trigger_sends_nothing(
    order: tuple[str, str], completed: Job, mailbox: Mailbox
) -> None:
    for trigger in (*order, *order):
        call(trigger)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_an_admin_may_hear_of_failures_alone(
    completed: Job, jobs: JobStore, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotifySettings.read(), "admin_notices", "failures")
    call("completed")
    call("result_created")
    assert recipients(mailbox()) == [EMAIL]


def test_an_admin_who_hears_of_failures_alone_hears_of_them(
    failed: Job, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotifySettings.read(), "admin_notices", "failures")
    call("failed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_two_triggers_at_once_send_one_mail_each(
    completed: Job, mailbox: Mailbox, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second trigger comes while the first is between its claim and SES, and is tried again."""
    from gen3d_notify import delivery

    real = delivery._mime
    inside: list[None] = []

    def mime(*args: Any) -> EmailMessage:
        if not inside:
            inside.append(None)
            with monkeypatch.context() as short:
                short.setattr(Context, "get_remaining_time_in_millis", lambda _: 40_000)
                with pytest.raises(MailFailed, match="Another try"):
                    call("result_created")
        return real(*args)

    monkeypatch.setattr(delivery, "_mime", mime)
    call("completed")
    assert sorted(recipients(mailbox())) == [EMAIL, ADMIN]
    call("result_created")
    assert len(mailbox()) == 2


@pytest.fixture
def published(
    put_job: PutJob, files: FileStore, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> Acts:
    """A job whose result is there before its record says so; what happens in each wait for that."""
    files.write(f"{PREFIX}result.json", RESULT, "")
    job = put_job(job_of_run_1(Status.RECONSTRUCTING, objects={"0": finished_object()}))
    acts: Acts = []

    def sleep(seconds: float) -> None:
        assert 0 < seconds < 5
        if acts:
            acts.pop(0)()

    monkeypatch.setattr(notify, "time", SimpleNamespace(time=time.time, sleep=sleep))

    def complete() -> None:
        changes: dict[str, Any] = {"status": Status.COMPLETED, "completedRun": job.run}
        jobs._update(job, {Status.RECONSTRUCTING}, changes)

    acts += [lambda: None, complete]
    return acts


def test_a_result_is_told_of_once_the_record_says_so(published: Acts, mailbox: Mailbox) -> None:
    call("result_created")
    assert not published
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_a_result_whose_execution_then_fails_is_no_completion(
    published: Acts, jobs: JobStore, mailbox: Mailbox
) -> None:
    published[:] = [lambda: jobs.fail(jobs.get(OWNER, JOB_ID), FAILURE)]
    call("result_created")
    assert mailbox() == []
    call("failed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_a_result_that_the_record_does_not_follow_is_asked_for_again(
    published: Acts, mailbox: Mailbox
) -> None:
    (_, complete), published[:] = published, []
    for _ in range(3):  # as often as Lambda tries
        with pytest.raises(MailFailed, match="asked again"):
            call("result_created")
    assert mailbox() == []
    complete()
    call("execution_aborted")  # its execution tells, or breaks down before it has
    assert recipients(mailbox()) == [EMAIL, ADMIN]
    call("completed")
    assert len(mailbox()) == 2


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_failed_job_is_told_once(breaks: str, failed: Job, mailbox: Mailbox) -> None:
    call("failed")
    call(breaks)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("status", [Status.INITIALIZING, Status.AWAITING_MASK])
def test_a_photo_that_took_long_calls_its_owner_back(
    status: Status, put_job: PutJob, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(status))
    call("prepared")
    call("prepared")
    assert recipients(mailbox()) == [EMAIL]
    assert f"/jobs/{JOB_ID}" in part(mailbox()[0], "plain")


def test_nobody_is_called_back_to_a_job_that_has_its_mask(
    put_job: PutJob, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(Status.RECONSTRUCTING))
    call("prepared")
    assert mailbox() == []


def test_an_expired_job_is_told_to_the_owner_alone(put_job: PutJob, mailbox: Mailbox) -> None:
    put_job(job_of_run_1(Status.EXPIRED))
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
@pytest.mark.parametrize("status", [Status.INITIALIZING, Status.RECONSTRUCTING])
def test_a_record_that_nobody_could_correct_is_corrected(
    breaks: str, error: str, status: Status, put_job: PutJob, jobs: JobStore, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(status))
    call(breaks)
    job = jobs.get(OWNER, JOB_ID)
    assert job.status is Status.FAILED
    assert job.error is not None
    assert job.error.name == error
    assert recipients(mailbox()) == [EMAIL, ADMIN]
    call(breaks)
    assert len(mailbox()) == 2


@pytest.mark.parametrize("breaks", BREAKS)
def test_an_expiry_that_its_execution_did_not_tell_is_told(
    breaks: str, put_job: PutJob, jobs: JobStore, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(Status.EXPIRED))
    for _ in range(2):
        call(breaks)
    assert jobs.get(OWNER, JOB_ID).status is Status.EXPIRED
    assert recipients(mailbox()) == [EMAIL]
    assert "waited for its mask" in str(mailbox()[0]["Subject"])


def test_a_job_that_completes_while_its_break_is_told_is_complete(
    completed: Job, jobs: JobStore, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the read of its record and the write of the failure."""
    reads = [completed.model_copy(update={"status": Status.RECONSTRUCTING})]
    get = JobStore.get
    monkeypatch.setattr(
        JobStore, "get", lambda self, *key: reads.pop() if reads else get(self, *key)
    )
    call("execution_failed")
    assert jobs.get(OWNER, JOB_ID).status is Status.COMPLETED
    assert "is ready" in str(mailbox()[0]["Subject"])


# Runs


def break_of(**said: int) -> dict[str, Any]:
    """The end of an execution whose input says these of its run."""
    event: dict[str, Any] = load_event("notify/execution_failed")
    given = json.loads(event["detail"]["input"])
    fields = {name: value for name, value in given.items() if name not in ("run", "after")}
    event["detail"]["input"] = json.dumps(fields | said)
    return event


@pytest.mark.parametrize(
    ("said", "status", "run", "failed"),
    [
        ({"run": 3, "after": 1}, Status.COMPLETED, 1, 3),  # the second one's name was taken
        ({"run": 2}, Status.COMPLETED, 1, 2),  # from before an input said after which it comes
        ({}, Status.INITIALIZING, 0, 0),  # from before there were runs
    ],
)
def test_a_break_is_of_the_run_that_its_input_says(
    said: dict[str, int],
    status: Status,
    run: int,
    failed: int,
    put_job: PutJob,
    jobs: JobStore,
    mailbox: Mailbox,
) -> None:
    put_job(job_of_run_1(status, run=run))
    notify.handler(break_of(**said), Context())
    job = jobs.get(OWNER, JOB_ID)
    assert (job.status, job.run) == (Status.FAILED, failed)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


ENDS = {
    "prepared": Status.AWAITING_MASK,
    "completed": Status.COMPLETED,
    "result_created": Status.COMPLETED,
    "failed": Status.FAILED,
    "expired": Status.EXPIRED,
    **dict.fromkeys(BREAKS, Status.FAILED),
}
"""Triggers, and a status in which each is true."""


@pytest.mark.parametrize(
    ("trigger", "status", "run"),
    [
        (trigger, status, run)
        for trigger, status in ENDS.items()
        for run in (0, 2)
        if run or trigger not in BREAKS  # a run that ended before it began has failed its job
    ],
)
def test_what_another_run_says_is_past(
    trigger: str, status: Status, run: int, put_job: PutJob, files: FileStore, mailbox: Mailbox
) -> None:
    files.write(f"{PREFIX}result.json", RESULT, "application/json")
    put_job(job_of_run_1(status, run=run, objects={"0": finished_object()}))
    call(trigger)
    assert mailbox() == []


@pytest.mark.parametrize("breaks", BREAKS)
@pytest.mark.parametrize("status", [Status.INITIALIZING, Status.RECONSTRUCTING])
def test_the_end_of_an_earlier_run_leaves_a_job_that_was_taken_up_again(
    breaks: str, status: Status, put_job: PutJob, jobs: JobStore, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(status, run=2))
    call(breaks)
    assert jobs.get(OWNER, JOB_ID).status is status
    assert mailbox() == []


@pytest.mark.parametrize("breaks", BREAKS)
@pytest.mark.parametrize("status", [Status.CREATED, *RESUMABLE])
def test_an_execution_that_ended_before_it_began_has_failed_its_job(
    status: Status,
    breaks: str,
    put_job: PutJob,
    jobs: JobStore,
    mailbox: Mailbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever the job was: a run that cannot begin is told, and is not the one before."""
    put_job(job_of_run_1(status, run=0, error=FAILURE if status is Status.FAILED else None))
    call(breaks)
    call(breaks)
    assert capsys.readouterr().out.count('"RecordCorrected":[1.0]') == 1
    job = jobs.get(OWNER, JOB_ID)
    assert (job.status, job.run) == (Status.FAILED, 1)
    assert job.error is not None
    assert job.error.stage == "Execution"
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("breaks", BREAKS)
@pytest.mark.parametrize("status", [Status.CANCELLED, Status.COMPLETED])
def test_a_run_that_was_cancelled_before_it_began_is_no_failure(
    status: Status, breaks: str, put_job: PutJob, jobs: JobStore, mailbox: Mailbox
) -> None:
    """It was stopped after its number was taken; what is complete, an earlier one made."""
    put_job(job_of_run_1(status, run=1, completed_run=0))
    call(breaks)
    assert jobs.get(OWNER, JOB_ID).status is status
    assert mailbox() == []


@pytest.mark.parametrize("trigger", ["failed", *BREAKS])
def test_a_failure_is_told_of_a_job_that_was_complete_before(
    trigger: str, put_job: PutJob, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(Status.FAILED, completed_run=0, error=FAILURE))
    call(trigger)
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("trigger", ["completed", "result_created", *BREAKS])
def test_a_completion_is_told_though_a_later_run_was_withdrawn_meanwhile(
    trigger: str, completed: Job, jobs: JobStore, mailbox: Mailbox
) -> None:
    """The person asked for an object anew and cancelled that, before the first mail went out."""
    assert jobs.withdraw(completed, completed.run + 1)
    call(trigger)
    assert recipients(mailbox()) == [EMAIL, ADMIN]
    assert jobs.get(OWNER, JOB_ID).status is Status.COMPLETED


def test_a_second_run_is_told_of_as_the_first_was(
    put_job: PutJob, jobs: JobStore, mailbox: Mailbox
) -> None:
    for run in (1, 2):
        table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
        put_job(job_of_run_1(Status.FAILED, run=run, error=FAILURE))
        event = load_event("notify/failed") | {"run": run}
        for _ in range(2):
            notify.handler(event, Context())
    assert recipients(mailbox()) == [EMAIL, ADMIN] * 2


def test_a_job_from_before_there_were_runs_is_told_of(put_job: PutJob, mailbox: Mailbox) -> None:
    put_job(job_of_run_1(Status.FAILED, run=0, error=FAILURE))
    event = load_event("notify/failed")
    del event["run"]
    notify.handler(event, Context())
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_a_result_from_before_there_were_runs_is_told_of(
    put_job: PutJob, files: FileStore, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(Status.COMPLETED, run=0, objects={"0": finished_object()}))
    result = json.dumps({"owner": OWNER, "jobId": JOB_ID}).encode()
    files.write(f"{PREFIX}result.json", result, "application/json")
    call("result_created")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize(
    "trigger", ["prepared", "completed", "result_created", "failed", "expired", *BREAKS]
)
def test_a_cancelled_job_gives_no_mail(
    trigger: str, put_job: PutJob, files: FileStore, jobs: JobStore, mailbox: Mailbox
) -> None:
    files.write(f"{PREFIX}result.json", RESULT, "")
    put_job(job_of_run_1(Status.CANCELLED))
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
    """The job is complete, which its execution may not have lived to tell."""
    for _ in range(2):
        call(breaks)
    assert recipients(mailbox()) == [EMAIL, ADMIN]
    assert "is ready" in str(mailbox()[0]["Subject"])
    job = jobs.get(OWNER, JOB_ID)
    assert (job.status, job.error, job.run) == (Status.COMPLETED, None, completed.run)


def test_an_event_about_something_else_is_left(mailbox: Mailbox) -> None:
    event = load_event("notify/result_created") | {"detail-type": "Object Deleted"}
    notify.handler(event, Context())
    assert mailbox() == []


@pytest.mark.parametrize("name", ["image.x/result.json", "objects/0/result.json"])
def test_a_result_that_lies_elsewhere_gives_no_mail(
    name: str, completed: Job, files: FileStore, mailbox: Mailbox, logs: StringIO
) -> None:
    files.write(f"{PREFIX}{name}", RESULT, "application/json")
    event = load_event("notify/result_created")
    event["detail"]["object"]["key"] = f"{PREFIX}{name}"
    notify.handler(event, Context())
    assert mailbox() == []
    assert "not its job's own" in logs.getvalue()


# SES


@pytest.mark.parametrize("refusal", ["MessageRejected", "MailFromDomainNotVerifiedException"])
def test_one_refused_mail_does_not_stop_the_other_and_is_sent_by_the_next_try(
    refusal: str, completed: Job, mailbox: Mailbox, calls: Calls
) -> None:
    calls.fail("SendEmail", refusal)
    with pytest.raises(MailFailed, match=r"sandbox .* verified"):
        call("completed")
    assert recipients(mailbox()) == [ADMIN]
    call("result_created")
    assert recipients(mailbox()) == [ADMIN, EMAIL]


@pytest.mark.parametrize(
    "fault",
    [
        EndpointConnectionError(endpoint_url="https://email.us-east-1.amazonaws.com"),
        ReadTimeoutError(endpoint_url="https://email.us-east-1.amazonaws.com"),
        client_error("TooManyRequestsException", "SendEmail", 429),
        client_error("InternalFailure", "SendEmail", 500),
    ],
    ids=["unreachable", "silent", "busy", "broken"],
)
def test_ses_in_trouble_is_a_failed_mail_too_and_blames_no_address(
    fault: Exception, completed: Job, mailbox: Mailbox, calls: Calls
) -> None:
    calls.fail_with("SendEmail", fault)
    with pytest.raises(MailFailed) as failed:
        call("completed")
    assert failed.value.message == f"The mail could not be sent: {fault}."
    assert recipients(mailbox()) == [ADMIN]


def test_a_mail_that_was_cut_off_is_sent_later(
    completed: Job, mailbox: Mailbox, calls: Calls, clock: list[float]
) -> None:
    """The function was ended by its timeout between the claim of a mail and SES."""

    class CutOff(BaseException):
        pass

    calls._failures["SendEmail"] = [CutOff()]  # type: ignore[list-item]
    with pytest.raises(CutOff):
        call("completed")
    call("result_created")
    assert sorted(recipients(mailbox())) == [EMAIL, ADMIN]


def test_mails_come_from_the_stacks_address(completed: Job, mailbox: Mailbox, calls: Calls) -> None:
    call("completed")
    sent = calls.of("SendEmail")
    assert [s["Destination"] for s in sent] == [{"ToAddresses": [to]} for to in (EMAIL, ADMIN)]
    assert {s["FromEmailAddress"] for s in sent} == {SENDER}
    assert {s["ConfigurationSetName"] for s in sent} == {"gen3d"}
    assert {str(mail["From"]) for mail in mailbox()} == {f"Gen3D <{SENDER}>"}


def test_mails_are_counted_by_what_became_of_them(
    completed: Job, mailbox: Mailbox, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    calls.fail("SendEmail", "MessageRejected")
    with pytest.raises(MailFailed):
        call("completed")
    counted = capsys.readouterr().out
    assert [counted.count(f'"{name}":[1.0]') for name in ("MailFailed", "MailSent")] == [1, 1]


def test_two_mails_without_an_answer_fit_into_the_function() -> None:
    """Beside what the table and the bucket may take, for which each has three attempts."""
    from gen3d_notify import delivery

    config: Any = delivery._ses().meta.config
    patience = config.connect_timeout + config.read_timeout
    assert patience == delivery.ATTEMPT_SECONDS < delivery.CLAIM_SECONDS
    function = template()["Resources"]["NotifyFunction"]["Properties"]["Timeout"]
    assert 2 * patience + sum(notify.LOOKS) <= function - 15
    # Who waits for another's claim to end can still send the mail.
    assert delivery.CLAIM_SECONDS + delivery.WAIT_SECONDS + patience < function
    assert patience >= 10  # or slow answers would be taken for none, and mails sent again


class Silence(URLLib3Session):
    """A service that takes each request and never answers."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def send(self, request: Any) -> Any:
        self.requests.append(request.url)
        raise ReadTimeoutError(endpoint_url=request.url)


def test_a_mail_without_an_answer_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By botocore itself, with the client that sends the mails."""
    from gen3d_notify import delivery, mails

    silence = Silence()
    ses: Any = delivery._ses()
    monkeypatch.setattr(ses._endpoint, "http_session", silence)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    mail = mails.failed(job_of_run_1(Status.FAILED, error=FAILURE), "https://example.com")
    with pytest.raises(MailFailed):
        delivery._send(mail, "key")
    assert len(silence.requests) == 1


def test_a_mail_without_an_answer_is_sent_again_by_the_next_try(
    completed: Job, mailbox: Mailbox, calls: Calls
) -> None:
    """At least once: nobody can tell whether SES took the first."""
    calls.fail_with("SendEmail", ReadTimeoutError(endpoint_url="https://email.example.com"))
    with pytest.raises(MailFailed):
        call("completed")
    call("completed")
    assert recipients(mailbox()) == [ADMIN, EMAIL]


def test_a_claim_whose_answer_was_lost_is_known_again(
    completed: Job, mailbox: Mailbox, calls: Calls
) -> None:
    calls.lose_answer("PutItem")
    call("completed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("lost", ["the claim's answers", "the function after its claim"])
def test_a_mail_whose_claim_nobody_has_is_sent(
    lost: str,
    completed: Job,
    mailbox: Mailbox,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the next try, though it comes at once: it waits until the claim has ended."""
    from gen3d_notify import delivery

    class Ended(BaseException):
        """A process that is killed."""

    take = delivery._Claim.take

    def losing(claim: Any) -> bool:
        monkeypatch.setattr(delivery._Claim, "take", take)
        assert take(claim)
        if lost == "the claim's answers":
            raise ReadTimeoutError(endpoint_url="https://dynamodb.example.com")
        raise Ended

    monkeypatch.setattr(delivery._Claim, "take", losing)
    with pytest.raises((DependencyUnavailable, Ended)):
        call("completed")
    assert mailbox() == []
    call("completed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]
    assert delivery.CLAIM_SECONDS <= sum(clock) <= delivery.CLAIM_SECONDS + 2
    call("result_created")
    assert len(mailbox()) == 2


def test_who_comes_too_late_gives_nobody_elses_claim_back(aws: None, clock: list[float]) -> None:
    """It would let a third send what the second is sending."""
    from gen3d_notify import delivery

    first, second, third = (delivery._Claim("key") for _ in range(3))
    assert first.take()
    clock.append(delivery.CLAIM_SECONDS + 1)
    assert second.take()
    first.give_back()
    assert not third.take()
    second.give_back()
    assert third.take()


def test_a_try_that_finds_another_at_it_waits_for_what_that_says(
    completed: Job, mailbox: Mailbox, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gen3d_notify import delivery

    others = [delivery._Claim(f"{JOB_ID}#1#completed#{role}") for role in ("owner", "admin")]
    assert all(claim.take() for claim in others)

    def sleep(seconds: float) -> None:
        clock.append(seconds)
        if len(clock) == 3:
            others[0].note_as_sent()
            others[1].give_back()

    monkeypatch.setattr("gen3d_notify.delivery.time.sleep", sleep)
    call("completed")
    assert recipients(mailbox()) == [ADMIN]
    assert len(clock) == 3


@pytest.mark.parametrize(("left", "waits"), [(-0.5, 0), (0.5, 1)])
def test_nobody_waits_who_could_not_send_the_mail_after_it(
    left: float, waits: int, completed: Job, mailbox: Mailbox, clock: list[float]
) -> None:
    from gen3d_notify import delivery, mails

    assert delivery._Claim("key").take()  # somebody else
    needed = delivery.WAIT_SECONDS + delivery.ATTEMPT_SECONDS
    mail = mails.failed(completed, "https://example.com")
    with pytest.raises(MailFailed, match="asked again"):
        delivery.deliver("key", mail, until=time.time() + needed + left)
    assert len(clock) == waits
    assert mailbox() == []


@pytest.mark.parametrize("operation", ["PutItem", "GetItem"])
def test_a_table_out_of_reach_is_named_so_that_it_is_tried_again(
    operation: str, completed: Job, mailbox: Mailbox, calls: Calls
) -> None:
    calls.hang(operation)
    with pytest.raises(DependencyUnavailable):
        call("completed")
    call("completed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
def test_a_note_of_a_mail_that_cannot_be_made_fails_nothing_more(
    operation: str, completed: Job, mailbox: Mailbox, calls: Calls, clock: list[float]
) -> None:
    """Where nobody could note that a mail was sent, it is sent again rather than never."""
    if operation == "DeleteItem":
        calls.fail("SendEmail", "MessageRejected")
    calls.fail(operation, "InternalServerError")
    with suppress(MailFailed):
        call("completed")
    noted = operation == "DeleteItem"
    assert recipients(mailbox()) == ([ADMIN] if noted else [EMAIL, ADMIN])
    call("result_created")
    assert recipients(mailbox()) == ([ADMIN, EMAIL] if noted else [EMAIL, ADMIN, EMAIL])
    assert sum(clock) >= 25


def test_a_mail_is_remembered_for_as_long_as_its_job(
    completed: Job, mailbox: Mailbox, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    before = time.time()
    call("completed")
    claims = rows("IdempotencyTable")
    assert {row["id"] for row in claims} == {
        f"mail#{JOB_ID}#1#completed#{role}" for role in ("owner", "admin")
    }
    days = NotifySettings.read().retention_days * 86400
    assert all(before + days - 1 <= row["ttl"] <= time.time() + days for row in claims)
    assert {row["state"] for row in claims} == {"SENT"}


# What the mails say


@pytest.mark.parametrize("coverage", [0.7812, None])
def test_the_owners_mail_warns_of_what_a_mesh_lacks(
    put_job: PutJob, mailbox: Mailbox, coverage: float | None
) -> None:
    cup = finished_object()
    mesh = {**(cup.mesh or {}), "coverage": coverage, "warnings": ["A part is missing."]}
    objects = {"0": cup.model_copy(update={"mesh": mesh})}
    put_job(job_of_run_1(Status.COMPLETED, completed_run=1, objects=objects))
    call("completed")
    for form in ("plain", "html"):
        text = part(mailbox()[0], form)
        assert "A part is missing." in text
        assert ("Coverage" in text) == (coverage is not None)
        assert coverage is None or "78.1 %" in text


def test_the_owners_mail_shows_and_links_the_mesh(completed: Job, mailbox: Mailbox) -> None:
    call("completed")
    mail = mailbox()[0]
    text, html = part(mail, "plain"), part(mail, "html")

    assert mail["Subject"] == "Your 3D model is ready: coffee"
    (picture,) = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert (picture.get_content(), picture.get_filename()) == (PICTURE, "object0.png")
    assert f'src="{picture["Content-ID"][1:-1]}"'.replace('"', "") in html.replace(
        'src="cid:', "src="
    ).replace('"', "")
    assert picture.get_content_disposition() == "inline"
    for ending in MESH_FORMATS:
        for form in (text, html):
            assert f"objects/0/mesh.{ending}" in form
            assert f"filename%3D%22Cup.{ending}%22" in form
    for fact in ("coffee.jpg", "Cup", "2,400", "1,200", "5,000"):
        assert fact in html
    lines = text.splitlines()
    for line in ("Faces: 2,400", "Vertices: 1,200", "Gaussians: 5,000", "Seed: 0"):
        assert line in lines
    assert "Coverage of the splat: 99.9 %" in lines
    (splat,) = [line for line in lines if line.startswith("Splat: https://")]
    assert "filename%3D%22Cup-splat.ply" in splat
    for form in (text, html):
        assert f"https://gen3d.example.com/jobs/{JOB_ID}" in form
        assert "X-Amz-Signature" in form
        assert "splat.ply" in form


def test_the_owners_mail_of_an_engine_s_mesh_has_no_splat(
    put_job: PutJob, mailbox: Mailbox
) -> None:
    put_job(job_of_run_1(Status.COMPLETED, objects={"0": mesh_object()}))
    call("completed")
    mail = mailbox()[0]
    for form in (part(mail, "plain"), part(mail, "html")):
        assert "engine.glb" in form
        for absent in ("splat", "Splat", "Gaussians", "Height"):
            assert absent not in form
    assert "Coverage of the engine's mesh: 99.9 %" in part(mail, "plain").splitlines()


def test_the_owners_mail_says_a_height_that_is_known(put_job: PutJob, mailbox: Mailbox) -> None:
    cup = finished_object()
    objects = {"0": cup.model_copy(update={"mesh": {**(cup.mesh or {}), "height": 0.09512}})}
    put_job(job_of_run_1(Status.COMPLETED, objects=objects))
    call("completed")
    assert "Height: 0.0951 m" in part(mailbox()[0], "plain").splitlines()


def test_the_owners_mail_links_only_files_that_the_mesh_has(
    put_job: PutJob, mailbox: Mailbox
) -> None:
    """A mesh that was kept from before a format was added, when another object is made anew."""
    cup = finished_object()
    assert cup.mesh is not None
    del cup.mesh["files"]["usdz" if "usdz" in MESH_FORMATS else "stl"]
    put_job(job_of_run_1(Status.COMPLETED, objects={"0": cup}))
    call("completed")
    text = part(mailbox()[0], "plain")
    assert {ending for ending in MESH_FORMATS if f"mesh.{ending}" in text} == (
        cup.mesh["files"].keys() & MESH_FORMATS.keys()
    )


@pytest.mark.parametrize("kind", ["prepared", "expired", "failed"])
def test_every_mail_to_an_owner_leads_to_the_job(
    kind: str, put_job: PutJob, mailbox: Mailbox
) -> None:
    status = Status.AWAITING_MASK if kind == "prepared" else Status[kind.upper()]
    put_job(job_of_run_1(status, error=FAILURE))
    call(kind)
    for form in ("plain", "html"):
        assert f"https://gen3d.example.com/jobs/{JOB_ID}" in part(mailbox()[0], form)


def test_a_mail_without_a_preview_still_goes(
    completed: Job, files: FileStore, mailbox: Mailbox
) -> None:
    files.remove(f"{PREFIX}objects/0/preview.png")
    call("completed")
    assert recipients(mailbox()) == [EMAIL, ADMIN]


def test_an_object_that_failed_is_explained(put_job: PutJob, mailbox: Mailbox) -> None:
    spoon = JobObject(n=1, name="Spoon", status=ObjectStatus.FAILED, error=FAILURE)
    objects = {"0": finished_object(), "1": spoon, "2": finished_object(2)}
    put_job(job_of_run_1(Status.COMPLETED, objects=objects))
    call("completed")
    owner, admin = mailbox()
    assert "Spoon" in part(owner, "plain")
    assert "No surface. Click again." in part(owner, "plain")
    for line in (f"Job: {JOB_ID}", f"Owner: {EMAIL}", "Objects: 2 of 3"):
        assert line in part(admin, "plain").splitlines()


def test_each_of_several_objects_has_its_own_picture(
    completed: Job, files: FileStore, mailbox: Mailbox, put_job: PutJob
) -> None:
    table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
    files.write(f"{PREFIX}objects/1/preview.png", PICTURE + b"1", "image/png")
    objects = {str(n): finished_object(n) for n in range(2)}
    put_job(completed.model_copy(update={"objects": objects}))
    call("completed")
    mail = mailbox()[0]
    assert mail["Subject"] == "Your 3D models are ready: coffee"
    pictures = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert [p["Content-ID"] for p in pictures] == ["<object0>", "<object1>"]
    assert all(f'src="cid:object{n}"' in part(mail, "html") for n in range(2))


def test_a_failure_without_a_reason_is_told_all_the_same(put_job: PutJob, mailbox: Mailbox) -> None:
    put_job(job_of_run_1(Status.FAILED))
    call("failed")
    owner, admin = (part(mail, "plain") for mail in mailbox())
    assert "The job failed on our side." in owner
    assert "Error: UnknownError\nMessage: The record does not say why." in admin


def test_the_owner_of_a_failed_job_hears_what_to_do(failed: Job, mailbox: Mailbox) -> None:
    call("failed")
    for kind in ("plain", "html"):
        assert "No surface. Click again." in part(mailbox()[0], kind)


@pytest.mark.parametrize("drafted", [True, False])
def test_the_owner_of_a_failed_job_hears_of_its_draft(
    drafted: bool, put_job: PutJob, mailbox: Mailbox
) -> None:
    draft = {"files": {}, "faces": 20} if drafted else None
    thing = JobObject(n=0, name="Cup", status=ObjectStatus.FAILED, draft=draft)
    put_job(job_of_run_1(Status.FAILED, objects={"0": thing}))
    call("failed")
    assert ("A draft of it is there" in part(mailbox()[0], "plain")) is drafted


@pytest.mark.parametrize("trigger", ["failed", "execution_failed"])
def test_the_admin_hears_where_it_failed_and_where_to_look(
    trigger: str, failed: Job, mailbox: Mailbox
) -> None:
    call(trigger)
    mail = mailbox()[1]
    arn = load_event("notify/failed")["executionArn"]
    for said in (JOB_ID, EMAIL, "EachObject", "EmptySurface", "No surface", arn, "fields @timest"):
        assert said in part(mail, "plain")
    groups = NotifySettings.read().log_groups.split(",")
    assert "\n".join(["Log groups:", *groups]) in part(mail, "plain")
    for line in (
        f"Job: {JOB_ID}",
        f"Owner: {EMAIL}",
        "State: EachObject",
        "Error: EmptySurface",
        "Message: No surface. Click again.",
        "Execution in the console: https://us-east-1.console.aws.amazon.com/states/home"
        f"?region=us-east-1#/v2/executions/details/{arn}",
        f'| filter job_id = "{JOB_ID}" or callback_id like "{JOB_ID}"',
    ):
        assert line in part(mail, "plain").splitlines()
    assert mail["Subject"] == f"Gen3D job failed: EmptySurface {JOB_ID}"


def test_only_the_admin_sees_a_raw_error(put_job: PutJob, mailbox: Mailbox) -> None:
    raw = Failure(name="RuntimeError", message="at 0x7f", stage="EachObject")
    put_job(job_of_run_1(Status.FAILED, error=raw))
    call("failed")
    owner, admin = mailbox()
    assert "0x7f" not in owner.as_string()
    assert "at 0x7f" in part(admin, "plain")


HOSTILE = '<script>alert(1)</script>"&\r\nBcc: eve@example.com'


def test_hostile_names_stay_text(put_job: PutJob, mailbox: Mailbox) -> None:
    error = Failure(name="InvalidMask", message=HOSTILE, stage=HOSTILE)
    spoon = JobObject(n=1, name=HOSTILE, status=ObjectStatus.FAILED, error=error)
    put_job(
        job_of_run_1(
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
    from gen3d_notify import delivery, mails

    job = job_of_run_1(Status.FAILED, name=name, error=FAILURE)
    mail = delivery._mime(mails.failed(job, "https://example.com"), SENDER)
    assert (
        name.replace("=?", "= ?") in message_from_bytes(mail.as_bytes(), policy=default)["Subject"]
    )


@hypothesis_settings(deadline=None)
@given(st.text(max_size=100))
@example("cup\0\x1b[2J\x7f\x85\u2028\ud800\u202egpj.exe")
def test_any_name_makes_a_mail(name: str) -> None:
    """Also one from before names were looked at, with whatever is in it."""
    from gen3d_notify import delivery, mails

    job = job_of_run_1(Status.FAILED).model_copy(
        update={"name": name, "filename": name, "error": FAILURE}
    )
    mail = mails.failed(job, "https://example.com")
    sent = message_from_bytes(delivery._mime(mail, SENDER).as_bytes(), policy=default)
    assert "Subject" in sent
    for text in (mail.subject, mail.text.replace("\n", ""), mail.html.replace("\n", "")):
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs")]
    assert "\n" not in mail.subject
    assert mail.text.startswith("Your 3D model could not be made\n\n")


def test_a_stage_that_has_not_ended_has_no_time() -> None:
    from gen3d_notify import mails

    job = job_of_run_1(Status.FAILED, stages=StageTimes(initialize=TimeSpan()))
    assert mails._seconds(job) == ""


@pytest.mark.parametrize(
    ("run", "said"), [(0, "reconstruction"), (1, "reconstruction"), (2, "last reconstruction")]
)
def test_a_time_says_what_it_is_of(run: int, said: str) -> None:
    """A second run makes again what failed, in less than all took."""
    from gen3d_notify import mails

    stages = StageTimes.model_validate(
        {
            "initialize": {"start": "2026-11-22T23:00:00Z", "end": "2026-11-22T23:00:01.5Z"},
            "mask": {"start": "2026-11-22T23:00:01.5Z", "end": "2026-11-22T23:01:16.5Z"},
            "reconstruct": {"start": "2026-11-22T23:01:16.5Z", "end": "2026-11-22T23:02:36.5Z"},
        }
    )
    assert mails._seconds(job_of_run_1(Status.COMPLETED, run, stages=stages)) == (
        f"preparing 1.5 s, your mask 75.0 s, {said} 80.0 s"
    )


def test_an_unknown_kind_is_refused(completed: Job, mailbox: Mailbox, logs: StringIO) -> None:
    with pytest.raises(ValueError, match="kind"):
        notify.handler(load_event("notify/completed") | {"kind": "odd"}, Context())
    assert mailbox() == []


# All objects together


def test_a_scene_is_in_the_mail_with_its_picture_and_files(
    put_job: PutJob, files: FileStore, mailbox: Mailbox
) -> None:
    files.write(f"{PREFIX}scene.png", PICTURE, "image/png")
    made = {
        "files": {"glb": {"key": f"{PREFIX}scene.glb", "bytes": 7}},
        "metres": False,
        "objects": [],
    }
    objects = {"0": finished_object(), "1": finished_object(1)}
    put_job(job_of_run_1(Status.COMPLETED, completed_run=1, objects=objects, scene=made))
    call("completed")
    mail = mailbox()[0]
    assert "All together" in part(mail, "plain")
    assert "/scene.glb?" in part(mail, "plain")
    assert "cid:scene" in part(mail, "html")


def test_why_there_is_no_scene_is_in_the_mail(put_job: PutJob, mailbox: Mailbox) -> None:
    scene = {"error": {"name": "InputMissing", "stage": "MakeScene", "message": "It is gone."}}
    objects = {"0": finished_object(), "1": finished_object(1)}
    put_job(job_of_run_1(Status.COMPLETED, completed_run=1, objects=objects, scene=scene))
    call("completed")
    text = part(mailbox()[0], "plain")
    assert "could not be set beside each other. It is gone." in text


def test_how_true_a_mesh_is_stands_among_its_figures(put_job: PutJob, mailbox: Mailbox) -> None:
    cup = finished_object()
    assert cup.mesh is not None
    cup.mesh["truth"] = {"silhouette": 0.93, "colour": None}
    put_job(job_of_run_1(Status.COMPLETED, completed_run=1, objects={"0": cup}))
    call("completed")
    text = part(mailbox()[0], "plain")
    assert "Outline as in the photo: 93 %" in text
    assert "Colours as in the photo" not in text
