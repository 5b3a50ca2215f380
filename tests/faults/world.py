"""One job, whole: the real functions and state machine on moto, an endpoint and a person beside.

The functions are called as Lambda calls them, one at a time, as they share a process here. What
arrives by itself in AWS (notifications, events) is delivered by `World`, which can be told to fail,
repeat, delay or lose it.
"""

import copy
import json
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gen3d import paths
from gen3d.formats import MESH_FORMATS
from gen3d.jobs import TERMINAL, Job, ObjectTask, Status, now
from gen3d.options import Options
from gen3d.paths import ObjectFiles
from gen3d_aws import clients, dispatch
from tests.support import (
    ADMIN,
    BUCKET,
    EMAIL,
    JOB_ID,
    OWNER,
    PREFIX,
    SENDER,
    STATE_MACHINE,
    Context,
    callback,
    client,
    encode,
    load_event,
    make_job,
    mask,
    notify,
    reconcile,
    submit,
    table,
)
from tests.unit.api.requests import PHOTO, Answer, call
from tests.workflow.fake_functions import (
    Decodes,
    FakeFunction,
    _answered,
    _failed,
    lite_of,
    scene_of,
)
from tests.workflow.harness import Harness, all_states, definition

PATIENCE = 40
MASK = encode(mask())
ENDED = TERMINAL
POSE = {"rotation": [1, 0, 0, 0], "translation": [0, 0, 0], "scale": [1, 1, 1]}

TOLD = {
    Status.COMPLETED: [(EMAIL, "completed"), (ADMIN, "completed")],
    Status.FAILED: [(EMAIL, "failed"), (ADMIN, "failed")],
    Status.EXPIRED: [(EMAIL, "expired")],
}
"""Who is told how a run ended."""

SUBJECTS = {
    "Your photo is ready to be clicked": "prepared",
    "Your 3D model is ready": "completed",
    "Your 3D models are ready": "completed",
    "Gen3D job done": "completed",
    "Your 3D model could not be made": "failed",
    "Gen3D job failed": "failed",
    "Your photo waited for its mask": "expired",
}

Notification = dict[str, Any]
Deliver = Callable[["World", Notification], None]


def deliver(world: "World", notification: Notification) -> None:
    """A notification reaches its function, which is tried three times, as by Lambda's queue."""
    event = load_event("callback/initialize_completed")
    event["Records"][0]["Sns"]["Message"] = json.dumps(notification)
    for _ in range(3):
        try:
            world.invoke(callback.handler, event)
        except Exception as error:  # its dead-letter queue has it after the last
            world.undelivered.append(error)
        else:
            return


@dataclass
class Endpoint:
    """The model: takes requests, and answers them in a thread of its own, in their order.

    Attributes
    ----------
    faults : list of (stage, callable)
        What happens to the next requests of a stage instead of an answer; each is used once.
    always : dict
        The same for every request of a stage.
    """

    world: "World"
    faults: list[tuple[str, Callable[["World", str], Notification]]] = field(default_factory=list)
    always: dict[str, Callable[["World", str], Notification]] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    deliver: Deliver = deliver

    def __post_init__(self) -> None:
        self._requests: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def invoke_endpoint_async(self, **request: Any) -> dict[str, Any]:
        """As SageMaker's runtime takes it."""
        self.accepted.append(request["InferenceId"])
        self._requests.put(request["InferenceId"])
        return {"InferenceId": request["InferenceId"]}

    def stop(self) -> None:
        """Answer nothing any more."""
        self._requests.put(None)
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        while (inference := self._requests.get()) is not None:
            stage = inference.split("-")[2]
            act = self.always.get(stage, answer)
            for fault in self.faults:
                if fault[0] == stage:
                    self.faults.remove(fault)
                    act = fault[1]
                    break
            self.deliver(self.world, act(self.world, inference))


def notification_of(inference: str, **result: Any) -> Notification:
    """What SageMaker publishes."""
    return {"inferenceId": inference, "awsRegion": "us-east-1", **result}


def answer(world: "World", inference: str, text: str | None = None) -> Notification:
    """The container does its work; `text` takes the place of its answer."""
    data = world.read(paths.async_input(inference))
    assert data is not None
    request = json.loads(data)
    _, key = paths.split_uri(request["output"])
    _, source = paths.split_uri(request["image"])
    if world.read(source) is None:
        body = {"error": "InputMissing", "message": "The photo is gone. Upload it again."}
        return failed(world, inference, f'with message "{json.dumps(body)}". See')
    world.write(key, b"made of it")
    result: dict[str, Any] = {
        "contract": request.get("contract", 1),
        "bytes": 9,
        "timings": {},
        "engine": "lite",
        "revision": "0123456789ab",
    }
    if inference.split("-")[2] == "initialize":
        result |= {"width": 64, "height": 48}
    else:
        result |= {"gaussians": 5000, "pose": POSE}
    out = f"async/out/{uuid.uuid4()}.out"
    world.write(out, (json.dumps(result) if text is None else text).encode())
    location = {"outputLocation": f"s3://{BUCKET}/{out}"}
    return notification_of(inference, invocationStatus="Completed", responseParameters=location)


def failed(world: "World", inference: str, reason: str) -> Notification:
    """The invocation fails with a reason."""
    return notification_of(inference, invocationStatus="Failed", failureReason=reason)


def named(error: str, message: str = "Do this.") -> Callable[["World", str], Notification]:
    """The container answers an error of ours."""
    body = json.dumps({"error": error, "message": message})
    return lambda world, inference: failed(
        world, inference, f'Received server error (500) from model with message "{body}". See'
    )


class World(Harness):
    """One job in a world that may fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, records: Path) -> None:
        super().__init__(monkeypatch, records)
        self._one_at_a_time = threading.RLock()
        self.undelivered: list[Exception] = []
        self.submit = FakeFunction(self.function(submit.handler))
        self.notify = FakeFunction(self.function(notify.handler))
        self.mesh = FakeFunction(self.make_mesh)
        self.lite = FakeFunction(self.make_at_once)
        self.endpoint = Endpoint(self)
        self.deliver_result: Callable[[World, Any], None] = World.deliver_event
        self.deliver_end: Callable[[World, Any], None] = World.deliver_event
        self.meantime: Callable[[], None] = lambda: None
        self.shown: list[ObjectTask] = []
        self.looks = ("queue", "sweep")
        self.untold: set[tuple[int, Status]] = set()
        """Ends of runs of which nobody is told any more, as the job has gone on meanwhile."""
        self._ends: dict[int, Status] = {}
        self._delivered = 0
        self._results: set[str] = set()
        monkeypatch.setattr(dispatch, "_runtime", lambda: self.endpoint)
        monkeypatch.setattr(time, "sleep", _short(time.sleep))
        real = clients.client
        told = SimpleNamespace(invoke=self._tell)
        monkeypatch.setattr(
            clients,
            "client",
            lambda service, **options: told if service == "lambda" else real(service, **options),
        )
        client("sesv2").create_email_identity(EmailIdentity=SENDER)
        self.write(make_job().uploads.image("image/jpeg"), PHOTO)

    def expire_soon(self) -> None:
        """Let the person have a second for the masks."""
        self.machine = definition(MaskTimeoutSeconds="1")

    def expire_late(self) -> None:
        """Give the person time for the masks again."""
        machine = next(iter(client("stepfunctions").list_state_machines()["stateMachines"]))
        client("stepfunctions").update_state_machine(
            stateMachineArn=machine["stateMachineArn"], definition=json.dumps(definition())
        )

    def tell_prepared(self) -> None:
        """Let every preparation count as a long one."""
        (way,) = all_states(self.machine)["TookLong"]["Choices"]
        way["Condition"] = way["Condition"].replace("60000", "-1")

    def draft_always(self) -> None:
        """Let no endpoint count as awake."""
        (way,) = all_states(self.machine)["Awake"]["Choices"]
        way["Condition"] = way["Condition"].replace("< 600000", "< -1")

    def draft_nothing(self) -> None:
        """Let nothing stand in for the endpoint where it prepares no photo."""
        self.machine = definition(Drafts="false")

    def show_objects(self) -> None:
        """Let the request have shown the objects, so that nobody has to make their masks."""
        self.shown = [ObjectTask.anew(n, f"Cup {n}", Options()) for n in range(self.objects)]
        self.write(make_job().files.prompts, b"{}")
        table("JobsTable").update_item(
            Key={"owner": OWNER, "jobId": JOB_ID},
            UpdateExpression="SET prompted = :objects",
            ExpressionAttributeValues={":objects": len(self.shown)},
        )

    def prepare_nothing(self, error: str) -> None:
        """Let no photo be prepared."""
        self.draft_nothing()
        self.endpoint.always["initialize"] = named(error)

    # What Lambda and S3 do

    def invoke(self, handler: Any, event: Any) -> Any:
        """Call a function as Lambda does."""
        with self._one_at_a_time:
            return handler(copy.deepcopy(event), Context())

    def _tell(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("gen3d-notify", "Event")
        self.deliver_event(json.loads(Payload))

    def function(self, handler: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """A function as the state machine finds it."""

        def answered(payload: dict[str, Any]) -> dict[str, Any]:
            try:
                return _answered(self.invoke(handler, payload))
            except Exception as error:
                return _failed(type(error).__name__, str(error))

        return answered

    def make_mesh(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The mesh function, without the mesh."""
        if payload.get("task") == "scene":
            return self._make_scene(payload)
        if self.read(payload["splat"]) is None:
            return _failed("InputMissing", "The object's splat is gone.")
        keys = ObjectFiles(payload["prefix"])
        names = {ending: keys.mesh(ending) for ending in MESH_FORMATS} | {"preview": keys.preview}
        for key in names.values():
            self.write(key, b"mesh")
        files = {kind: {"key": key, "bytes": 4} for kind, key in names.items()}
        return _answered({"files": files, "vertices": 12, "faces": 20})

    def _make_scene(self, payload: dict[str, Any]) -> dict[str, Any]:
        files = paths.JobFiles(payload["prefix"])
        if any(self.read(files.object(o["n"]).splat) is None for o in payload["objects"]):
            return _failed("InputMissing", "A file of the object is gone.")
        self.write(files.scene("glb"), b"scene")
        return _answered(scene_of(payload))

    def make_at_once(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The lite function, without the networks."""
        if payload["task"] == "decode":
            return self._decode(payload)
        _, source = paths.split_uri(payload["image"])
        if self.read(source) is None:
            return _failed("InputMissing", "The photo is gone.")
        self.write(paths.split_uri(payload["output"])[1], b"made at once")
        return lite_of(payload)

    def _decode(self, payload: dict[str, Any]) -> dict[str, Any]:
        files = make_job().files
        if any(self.read(key) is None for key in (files.prompts, files.embeddings)):
            return _failed("InputMissing", "A file of the job is gone.")
        for task in self.shown:
            self.write(files.object(task.n).mask, MASK)
        return Decodes([task.model_dump() for task in self.shown])(payload)

    def read(self, key: str) -> bytes | None:
        """A file's bytes, or None."""
        try:
            return bytes(client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
        except client("s3").exceptions.NoSuchKey:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Write a file."""
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=data)

    def files(self, prefix: str = PREFIX) -> list[str]:
        """Keys under a prefix."""
        listed = client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in listed]

    # What a person does

    def deploy(self) -> None:
        """Create the state machine, with what the test changed of it."""
        client("stepfunctions").create_state_machine(
            name=STATE_MACHINE.rsplit(":", 1)[-1],
            definition=json.dumps(self.machine),
            roleArn="arn:aws:iam::123456789012:role/gen3d",
        )

    def ask(self, name: str, body: Any = None) -> Answer:
        """Call the API."""
        with self._one_at_a_time:
            return call(name, body)

    def ask_of(self, job_id: str, name: str, body: Any = None) -> Answer:
        """Call the API about another job."""
        path = load_event(f"api/{name}")["rawPath"].replace(JOB_ID, job_id)
        with self._one_at_a_time:
            return call(name, body, rawPath=path)

    def begin(self) -> Answer:
        """Start the job."""
        return self.ask("initialize_job", {})

    def give_masks(self) -> None:
        """Upload a mask and go on."""
        for n in range(self.objects):
            self.write(make_job().uploads.mask(n), MASK)
        objects = [{"name": f"Cup {n}"} for n in range(self.objects)]
        status, body = self.ask("reconstruct_job", {"objects": objects})
        assert status == 202 or self._jobs.find(OWNER, JOB_ID) is None, body  # just deleted

    def status(self) -> Status:
        """What the owner sees."""
        code, body = self.ask("get_job")
        assert code == 200, body
        return Status(body["status"])

    def run_job(self, masks: bool = True) -> Status:
        """From the upload to whatever end; gives the status that the owner sees then."""
        self.deploy()
        code, body = self.begin()
        assert code == 202, body
        return self.go_on(masks)

    def go_on(self, masks: bool = True) -> Status:
        """Until the running execution has ended, or waits for masks that nobody makes."""
        self.live(masks)
        return self.status()

    def live(self, masks: bool = True) -> None:
        """Let things take their course, also those of a job that is deleted meanwhile."""
        given = not masks
        end = time.monotonic() + PATIENCE
        while True:
            self.deliver_events()
            self.meantime()
            if self.at_rest:
                return
            found = self._jobs.find(OWNER, JOB_ID)
            assert time.monotonic() < end, f"stuck: {found}"
            if not given and self.waits_for_masks:
                self.give_masks()
                given = True
            time.sleep(0.01)

    @property
    def waits_for_masks(self) -> bool:
        """Whether the job waits for a person, who has all that there will be to make masks by."""
        return self._waits_for_masks()

    @property
    def at_rest(self) -> bool:
        """Whether no execution runs, and every event was delivered."""
        started = {d["executionArn"] for d in self.announced if not d["stopDate"]}
        ended = {d["executionArn"] for d in self.announced if d["stopDate"]}
        return bool(ended) and started <= ended and self._delivered == len(self.announced)

    # What arrives by itself

    def deliver_events(self) -> None:
        """EventBridge's events of what happened since."""
        result = make_job().files.result
        for detail in self.announced[self._delivered :]:
            self._delivered += 1
            written = self.read(result)
            if detail["stopDate"] and written and written.decode() not in self._results:
                self._results.add(written.decode())
                event = load_event("notify/result_created")
                event["detail"]["object"]["key"] = result
                self.deliver_result(self, event)
            if detail["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
                event = load_event("notify/execution_failed")
                event["detail"] = detail
                self.deliver_end(self, event)

    def deliver_event(self, event: Any) -> None:
        """An event reaches the notify function, which is tried three times."""
        for _ in range(3):
            try:
                self.invoke(notify.handler, event)
            except Exception as error:
                self.undelivered.append(error)
            else:
                return

    def replay(self) -> None:
        """What the operator does with dead letters (``make replay``)."""
        letters, self.dead_letters = self.dead_letters, []
        for function, payload in letters:
            self.enqueue(function, payload)

    def look_after(self, **passed: float) -> None:
        """The reconciler's look at everything, when so much time has passed."""
        with self._one_at_a_time, pytest.MonkeyPatch.context() as patch:
            for module in (dispatch, reconcile):
                patch.setattr(module, "now", lambda: now() + timedelta(**passed))
            for task in self.looks:
                reconcile.handler({"task": task}, Context())

    # What has to be so at the end

    def mails(self) -> Counter[tuple[str, str]]:
        """Whom was written how often of what kind."""
        from moto.ses.models import ses_backends

        sent = [
            message_from_string(mail.raw_data, policy=policy.default)
            for mail in ses_backends["123456789012"]["us-east-1"].sent_messages
        ]
        return Counter((str(mail["To"]), _kind(str(mail["Subject"]))) for mail in sent)

    def check(self, runs: int = 1) -> None:
        """Everything that has to be so wherever a job ends, once the reconciler has looked."""
        self.look_after()
        job = self.job
        assert self.status() == job.status
        assert job.status in ENDED or job.status is Status.AWAITING_MASK
        assert job.run == runs, (job.run, job.status, job.error)
        self._check_mails(job)
        self._check_rows(job)
        self._check_files(job)

    def check_gone(self) -> None:
        """What has to be so when its owner has deleted the job."""
        self.look_after()
        assert self.ask("get_job")[0] == 404
        assert all(times == 1 for times in self.mails().values())
        assert not self.files()
        assert not self.files(make_job().uploads.prefix)
        rows = [row["callbackId"] for row in table("TokensTable").scan()["Items"]]
        assert set(rows) <= {"window", f"owner#{OWNER}"}

    def _check_mails(self, job: Job) -> None:
        """Each end of a run was told once to each whom it concerns, and nothing else."""
        self._ends[job.run] = job.status
        told: Counter[tuple[str, str]] = Counter()
        for run, status in self._ends.items():
            if (run, status) not in self.untold:
                told.update(TOLD.get(status, ()))
        mails = self.mails()
        assert mails.pop((EMAIL, "prepared"), 0) <= len(self._ends)
        assert mails == told, job.status

    def _check_rows(self, job: Job) -> None:
        rows = {row["callbackId"]: row for row in table("TokensTable").scan()["Items"]}
        window = rows.pop("window", {})
        rows.pop(f"owner#{OWNER}", None)
        assert not [name for name in window if name.startswith("sent:")]
        waits = job.status is Status.AWAITING_MASK
        assert set(rows) <= ({f"{JOB_ID}-mask"} if waits else set()), rows.keys()

    def _check_files(self, job: Job) -> None:
        there = set(self.files())
        for o in job.ordered_objects:
            keys = job.files.object(o.n)
            if o.mesh is not None:
                assert {file["key"] for file in o.mesh["files"].values()} <= there
            if o.splat is not None:
                assert keys.splat in there
            if o.draft is not None:
                assert o.mesh is None
                assert {file["key"] for file in o.draft["files"].values()} <= there
        if job.scene is not None and "error" not in job.scene:
            assert {file["key"] for file in job.scene["files"].values()} <= there
        if job.status is Status.COMPLETED:
            assert any(o.mesh for o in job.ordered_objects)
            several = sum(o.mesh is not None for o in job.ordered_objects) > 1
            assert (job.scene is not None) == several
            assert job.files.result in there


def _kind(subject: str) -> str:
    return SUBJECTS[subject.strip().split(":")[0]]  # a long one is folded


def _short(sleep: Callable[[float], None]) -> Callable[[float], None]:
    return lambda seconds: sleep(min(seconds, 0.01))


def world_of(monkeypatch: pytest.MonkeyPatch, records: Path) -> Iterator[World]:
    """A world that ends."""
    world = World(monkeypatch, records)
    try:
        yield world
    finally:
        world.endpoint.stop()
