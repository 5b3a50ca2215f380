"""Executions of jobs: starting one, taking a job up again where it ended, and stopping what runs.

Starting an execution is all that is done to begin a job. Whatever is true of the job then, its
execution writes: one that was never started leaves nothing behind that says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gen3d.errors import DependencyUnavailable, ExecutionAborted, InvalidRequest, JobConflict
from gen3d.jobs import (
    RESUMABLE,
    Failure,
    Job,
    JobObject,
    ObjectTask,
    Resume,
    Status,
    execution_input,
    execution_name,
    iso,
    now,
)
from gen3d.options import Options
from gen3d_aws import clients, inventory
from gen3d_aws.store import JobStore

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

NAMES = 5
"""So many executions of a job that ended before they began are passed over."""


def states_client() -> "SFNClient":
    """The client of Step Functions that starts and stops executions."""
    states: SFNClient = clients.client("stepfunctions")
    return states


@dataclass(frozen=True)
class Plan:
    """Where an execution takes its job up, and what it is given of the job's objects."""

    resume: Resume
    objects: tuple[ObjectTask, ...] = ()
    scene: bool = False
    """Whether a scene is wanted of a single object, too."""

    @property
    def work(self) -> int:
        """How many objects go into the queue for the model, each as often as it has seeds."""
        return sum(step.have == "nothing" for o in self.objects for step in o.steps)


FROM_THE_START = Plan(Resume.INITIALIZE)

_NEVER_MADE = Failure(
    name=ExecutionAborted.__name__,
    message="The job ended before this object was made. Try it again.",
)
"""Of an object that the job was cancelled, or failed, before."""


def plan_retry(
    job: Job,
    wanted: Mapping[int, Options] | None = None,
    *,
    kept: Mapping[int, int] | None = None,
    scene: bool = False,
) -> Plan:
    """Where an ended job goes on: at the stage that failed, with all that exists of it.

    Parameters
    ----------
    job : Job
    wanted : mapping of int to Options
        Objects to make anew, though there may be something of them, each with its options. One that
        differs for the mesh step alone keeps its splat. The others stay as they are; without any,
        all that failed is made.
    kept : mapping of int to int
        Objects of which several seeds were tried, each with the seed that it is to be of from now
        on. Nothing of them is made.
    scene : bool
        Set the objects beside each other though nothing else is left to do, and though there is but
        one.

    Raises
    ------
    JobConflict
        The job is at work, or nothing of it is left to do.
    InvalidRequest
        It has no such object, or nothing was made of the object by that seed.
    """
    wanted, kept = wanted or {}, kept or {}
    if job.status not in RESUMABLE:
        raise JobConflict(
            f"The job has not ended: it is {job.status}. Wait until it has, or cancel it."
        )
    absent = (wanted.keys() | kept.keys()) - {o.n for o in job.ordered_objects}
    if absent:
        raise InvalidRequest(
            f"objects: the job has no object {min(absent)}. Name those that it has."
        )
    if not job.objects:
        return Plan(Resume.MASK) if job.model else FROM_THE_START
    tasks = tuple(_task(job, o, wanted, kept) for o in job.ordered_objects)
    whole = all(task.have == "mesh" for task in tasks)
    if job.status is Status.COMPLETED and whole and not (scene or kept):
        raise JobConflict("Nothing of the job has failed. Name the objects that you want anew.")
    return Plan(Resume.RECONSTRUCT, tasks, scene)


def _task(
    job: Job, o: JobObject, wanted: Mapping[int, Options], kept: Mapping[int, int]
) -> ObjectTask:
    variants = job.variants(o.n)
    if o.n in kept:
        o = _of_seed(o, variants, kept[o.n])
    elif o.n in wanted:
        return _anew(o, variants, wanted[o.n])
    others = bool(wanted or kept)
    task = _goes_on(o, others)
    if not variants:
        return task
    each = tuple(_goes_on(v, others) for v in variants)
    return task.model_copy(update={"variants": each, "kept": o.seed if o.mesh else None})


def _goes_on(o: JobObject, others: bool) -> ObjectTask:
    """What there is of it stays; of the rest, unless others were asked for, what is missing."""
    task = _with_splat(o, o.options)
    if o.splat is not None and o.mesh is not None:
        return task.model_copy(update={"have": "mesh", "mesh": o.mesh, "draft": None})
    if others:
        error = (o.error or _NEVER_MADE).model_dump()
        return task.model_copy(update={"have": "left", "error": error})
    return task


def _with_splat(o: JobObject, options: Options) -> ObjectTask:
    return ObjectTask(
        n=o.n,
        name=o.name,
        options=options,
        have="nothing" if o.splat is None else "splat",
        splat=o.splat,
        draft=o.draft,
        folder=o.folder,
    )


def _anew(o: JobObject, variants: list[JobObject], options: Options) -> ObjectTask:
    if o.splat is not None and options != o.options and options.engine == o.options.engine:
        other = options.mesh
        each = tuple(
            _with_splat(v, v.options.model_copy(update={"mesh": other}))
            for v in variants
            if v.splat is not None
        )
        task = _with_splat(o, options).model_copy(update={"draft": None})
        return task.model_copy(update={"variants": each, "kept": o.seed if each else None})
    task = ObjectTask.anew(o.n, o.name, options)
    if options == o.options:
        task = task.model_copy(update={"draft": o.draft})
    if not task.variants:
        return task
    # What was made alike already is one of them, and so is what is kept until now.
    made = {v.seed: _goes_on(v, others=True) for v in (*variants, o) if _alike(v, options)}
    each = tuple(made.pop(v.seed, v) for v in task.variants)
    until_now = (made[o.seed],) if o.seed in made else ()
    return task.model_copy(update={"variants": (*until_now, *each)})


def _alike(o: JobObject, options: Options) -> bool:
    """Whether it was made as these options say, but for the seed."""
    one = options.each_seed()[0].with_seed(o.seed)
    return o.splat is not None and o.mesh is not None and o.options == one


def _of_seed(o: JobObject, variants: list[JobObject], seed: int) -> JobObject:
    for variant in variants:
        if variant.seed == seed and variant.splat is not None and variant.mesh is not None:
            return variant
    made = ", ".join(str(v.seed) for v in variants if v.mesh is not None) or "none"
    raise InvalidRequest(
        f"objects: of object {o.n} nothing was made by seed {seed}. Keep one that was: {made}."
    )


@dataclass(frozen=True)
class Runs:
    """The executions of one state machine."""

    state_machine_arn: str
    jobs: JobStore

    def start(self, job: Job, plan: Plan = FROM_THE_START) -> Job | None:
        """Start the job's next execution; the same again starts nothing more.

        Parameters
        ----------
        job : Job
            As it was read, with its photo's size.
        plan : Plan

        Returns
        -------
        Job or None
            The job as the execution is about to write it; None where another has begun meanwhile,
            or is about to.

        Raises
        ------
        DependencyUnavailable
            Each execution that was ever started ended before it began.
        """
        if job.status is Status.CANCELLED:  # the cancellation may have been cut off here
            self.stop(job)
        for run in range(job.run + 1, job.run + 1 + NAMES):
            if self._start(job, run, plan):
                return _begun(job, run, plan)
            # Another start has the name. It runs, and is the one that begins; or it has ended, and
            # has begun by now or never will. One that runs and is not shown yet begins first, and
            # this one then finds that it is not the next any more.
            if self._runs(job, run) or self.jobs.get(job.owner, job.job_id).run >= run:
                return None
        raise DependencyUnavailable("The job could not be started. Try again later.", 60)

    def _start(self, job: Job, run: int, plan: Plan) -> bool:
        try:
            states_client().start_execution(
                stateMachineArn=self.state_machine_arn,
                name=execution_name(job.job_id, run),
                input=execution_input(job, run, plan.resume, plan.objects, scene=plan.scene),
            )
        except ClientError as error:
            if clients.error_code(error) != "ExecutionAlreadyExists":
                raise
            return False
        return True

    def _runs(self, job: Job, run: int) -> bool:
        found = inventory.execution(self.state_machine_arn, job.job_id, run)
        return found is not None and found.status == "RUNNING"

    def retry(self, owner: str, job_id: str) -> Job | None:
        """Take an ended job up where it ended, as its owner may by the API.

        Returns
        -------
        Job or None
            As `start` gives it.

        Raises
        ------
        JobNotFound
        JobConflict
            The job has not ended, nothing of it failed, or it never began.
        """
        job = self.jobs.get(owner, job_id)
        plan = plan_retry(job)
        if job.image is None:
            raise JobConflict("The job's photo was never checked. Only its owner can begin it.")
        return self.start(job, plan)

    def stop(self, job: Job) -> None:
        """Stop the job's execution; nothing happens where there is none, or it has ended."""
        self._stop(job, job.run)

    def withdraw(self, job: Job) -> bool:
        """Take away the execution that was started for an ended job and has not begun.

        What begins in this very moment is another state of the job, which is left to who asks.

        Returns
        -------
        bool
            Whether one was started.
        """
        run = job.run
        while run < job.run + NAMES and self._stop(job, run + 1):
            run += 1
        # Stopped, it may still be about to begin: its number is given up, in the record.
        return run > job.run and self.jobs.withdraw(job, run)

    def _stop(self, job: Job, run: int) -> bool:
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        try:
            states_client().stop_execution(
                executionArn=f"{arn}:{execution_name(job.job_id, run)}",
                error="Cancelled",
                cause="By the owner",
            )
        except ClientError as error:
            if clients.error_code(error) != "ExecutionDoesNotExist":
                raise
            return False
        return True


def _begun(job: Job, run: int, plan: Plan) -> Job:
    """The job as the execution's first state, `Begin`, writes it."""
    start = {plan.resume: {"start": iso(now())}}
    return job.model_copy(
        update={
            "status": Status.INITIALIZING,
            "run": run,
            "error": None,
            "stages": job.stages.model_validate({**job.stages.model_dump(), **start}),
            "objects": {key: o for task in plan.objects for key, o in task.records().items()},
        }
    )
