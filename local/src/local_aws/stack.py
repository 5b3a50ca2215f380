"""The stack as a whole: starts its parts in order and ends what it started."""

import fcntl
import logging
import shutil
import socket
import sys
import threading
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from local_aws import environments, memory
from local_aws.settings import ROOT, LocalError, Settings

if TYPE_CHECKING:
    from local_aws.container_images import ContainerImage
    from local_aws.deploy.cloudformation import Fill
    from local_aws.endpoint.server import Server
    from local_aws.endpoint.spec import EndpointSpec

log = logging.getLogger(__name__)

_SAVE_SECONDS = 30.0
_SAVED_LAST = "cloudformation"
"""What says that there is a stack, when all that it consists of is saved."""

_CHANGED_BY_DEPLOYMENTS = {"lambda", _SAVED_LAST}


class Stack:
    """One stack; the process can have no second, for its parts read the environment.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock: IO[str] | None = None
        self._ended = threading.Event()
        self._forget = False
        self.resumed: list[str] = []
        self.lost: list[str] = []

    def start(self) -> None:
        """Serve; what an earlier run deployed is there again.

        Raises
        ------
        LocalError
            The port is busy, or another stack uses the folder.
        """
        self._claim()
        memory.bound()
        python = environments.environment(ROOT / "requirements" / "lambda.txt")
        if not (self.settings.folder / "state" / f"{_SAVED_LAST}.json").exists():
            self._forget_state()  # a first deployment that was cut off is begun anew
        shutil.rmtree(self.settings.scratch, ignore_errors=True)
        self.settings.export()
        _log_to(self.settings)
        self._assemble(python)
        self._gateway.start()

    def _assemble(self, python: Path) -> None:
        _leave_out_what_is_slow()
        # Imported here because ministack and moto read the environment when they are imported.
        from ministack.core import lambda_runtime
        from ministack.services import stepfunctions

        from local_aws import permissions, persistence, retention, services
        from local_aws.deploy import cloudformation as deployment
        from local_aws.endpoint.sagemaker_api import Endpoints, endpoint_arn
        from local_aws.events import announce
        from local_aws.functions import Functions
        from local_aws.gateway import Gateway
        from local_aws.mail import Mailbox
        from local_aws.pages import Pages
        from local_aws.workflow.executions import Executions
        from local_aws.workflow.stepfunctions_api import Workflow

        (self.settings.folder / "s3").mkdir(exist_ok=True)
        persistence.Items(self.settings.folder / "state" / "items.db").install()
        persistence.Disk(self.settings.folder / "s3").install()
        self._functions = Functions(python, self.settings.logs)
        self._functions.install()
        self._stop_functions = lambda_runtime.reset
        retention.install()
        deployment.install()
        self._deploy = deployment.deploy
        # Before the workflow stands in front of Step Functions: it keeps its executions itself.
        persistence.save_with_each_change()
        executions = Executions(self.settings.folder / "executions", announce)
        self._workflow = Workflow(executions, stepfunctions._state_machines)
        folder = self.settings.folder / "endpoints"
        self._endpoints = Endpoints(
            self._server, self.settings.idle_seconds, self.settings.wake_seconds, folder
        )
        services.serve("states", self._workflow.handle)
        services.name_resources("states", self._workflow.resource)
        services.serve("sagemaker", self._endpoints.handle, models=("sagemaker-runtime",))
        services.name_resources("sagemaker", endpoint_arn)
        services.parse_expressions_once()
        mailbox = Mailbox(self.settings.folder / "mails")
        mailbox.install()
        permissions.install(self.settings.logs / "permissions.jsonl")
        self._gateway = Gateway(self.settings, Pages(self.settings, self._workflow, mailbox))

    def deploy(
        self, parameters: dict[str, str], fill: "Fill" = lambda _outputs: None
    ) -> dict[str, str]:
        """Deploy the template, go on with what a stop cut off, and give the stack's outputs.

        Parameters
        ----------
        parameters : dict
            For the template; those that it does not have are left out.
        fill : Fill
            Puts into the stack what its owner keeps there, before anything goes on.
        """
        from local_aws import resources, services

        first = resources.stack() is None
        described = _begun(services.read_descriptions)
        try:
            outputs = self._deploy(self.settings, self._functions, parameters, fill)
        except LocalError:
            # AWS keeps what a failed creation retained, and refuses to create it again.
            self._forget = first
            raise
        warm = _begun(self._functions.warm)
        self.save(code=True)
        described.join()
        memory.settle()
        threading.Thread(target=self._save_now_and_then, daemon=True).start()
        self.resumed, self.lost = self._workflow.resume()
        self._endpoints.resume()
        warm.join()
        self._gateway.open()
        return outputs

    def save(self, code: bool = False) -> None:
        """Write ministack's state, for an end without goodbye.

        Parameters
        ----------
        code : bool
            Also what only a deployment changes, as the functions' code, which is large.
        """
        from ministack import app
        from ministack.core import persistence

        # One by one, so that no request waits for all of them.
        states = app._build_persistence_save_dict()
        for name, state in sorted(states.items(), key=lambda entry: entry[0] == _SAVED_LAST):
            if code or name not in _CHANGED_BY_DEPLOYMENTS:
                self._gateway.run(partial(persistence.save_all, {name: state}))

    def stop(self) -> None:
        """End every process that this stack started, and write its state."""
        if self._ended.is_set():
            return
        self._ended.set()
        if hasattr(self, "_gateway"):
            self._workflow.executions.freeze()
            self._endpoints.close()
            self._gateway.stop()
            self._stop_functions()
        if self._forget:
            self._forget_state()
        if self._lock is not None:
            self._lock.close()

    def _forget_state(self) -> None:
        for name in ("state", "s3", "executions", "endpoints"):
            shutil.rmtree(self.settings.folder / name, ignore_errors=True)

    def _server(self, spec: "EndpointSpec") -> "Server":
        from local_aws.endpoint.server import Server

        return Server(*self.instance(spec))

    def instance(
        self, spec: "EndpointSpec"
    ) -> "tuple[EndpointSpec, ContainerImage, dict[str, str], Path, Path]":
        """What an endpoint's instance is made from, as `Server` takes it."""
        from local_aws.container_images import assemble

        root = self.settings.template.parent
        dockerfile = root / "container" / "Dockerfile"
        python = environments.environment(dockerfile.parent / "requirements.txt")
        folder = self.settings.folder / "endpoints" / spec.name
        image = assemble(dockerfile, root, environments.BUILD / "images", python)
        image.build()
        log_file = self.settings.logs / f"{spec.name}.log"
        variables = self.settings.client_environment()
        if self.settings.python_path:
            variables |= {"PYTHONPATH": self.settings.python_path}
        return spec, image, variables, folder, log_file

    def _claim(self) -> None:
        self._lock = claim(self.settings.folder)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.settings.port))
            except OSError:
                raise LocalError(
                    f"Port {self.settings.port} is busy. Stop what listens there, or set "
                    "GEN3D_LOCAL_PORT."
                ) from None

    def _save_now_and_then(self) -> None:
        while not self._ended.wait(_SAVE_SECONDS):
            try:
                self.save()
                memory.give_back()
            except Exception:  # too busy, or just ending: the next time, or the end, saves
                log.exception("The state was not saved")


def _begun(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def claim(folder: Path) -> IO[str]:
    """Take a folder for this process alone; closing what is given lets it go.

    Raises
    ------
    LocalError
        Another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise LocalError(f"Another stack runs with the folder {folder}. Stop it first.") from None
    return lock


def _leave_out_what_is_slow() -> None:
    """Keep packages from being imported that take seconds or megabytes and are not used here.

    Docker's SDK and DuckDB, Athena's engine, are optional to ministack; DuckDB also says at the end
    of a process, in forty lines, what it leaks. Of moto's Batch its interpreter needs one small
    module, whose package brings all of EC2.
    """
    for optional in ("docker", "duckdb"):
        sys.modules[optional] = None  # type: ignore[assignment]
    import moto

    batch = types.ModuleType("moto.batch")
    batch.__path__ = [f"{folder}/batch" for folder in moto.__path__]
    sys.modules["moto.batch"] = batch


def _log_to(settings: Settings) -> None:
    """Everything that the parts log goes to one file; the terminal stays readable."""
    handler = logging.FileHandler(settings.logs / "stack.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("local_aws").setLevel(logging.INFO)
    logging.captureWarnings(True)
