"""A Docker engine: the machine's own, or one that is started for the check and ended with it."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

DAEMON_SECONDS = 60.0
_BUILDX = Path("usr/libexec/docker/cli-plugins/docker-buildx")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class CheckError(Exception):
    """What the check needs is not there, or an image does not do what it should."""


def free_port() -> int:
    """Find a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def finished(command: list[str], log: Path, environment: Mapping[str, str]) -> None:
    """Run a command, its output in a log.

    Raises
    ------
    CheckError
        It failed; the log's end is in the message.
    """
    with log.open("a") as output:
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
        )
    if done.returncode:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise CheckError(f"{' '.join(command[:4])} … failed ({log}):\n{end}")


def _mirror() -> str:
    """Where this machine's APT gets Debian from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for uri in done.stdout.split():
        if uri.rstrip("/").endswith("/debian"):
            return uri
    raise CheckError("APT has no source of Debian's packages, docker-buildx among them: add one.")


class Docker:
    """An engine and a registry, for as long as the check runs.

    Parameters
    ----------
    folder : pathlib.Path
        Sockets, logs and, where the engine is started here, all images; emptied by whoever made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = False
        self.registry = f"127.0.0.1:{free_port()}"
        self.environment = {**os.environ, "DOCKER_CLI_HINTS": "false"}
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Docker":
        for program in ("docker", "docker-registry"):
            if not shutil.which(program):
                raise CheckError(f"{program} is missing: apt-get install docker.io docker-registry")
        try:
            if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
                self._start_engine()
            self._add_buildx()
            self._start_registry()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was started here, the last first."""
        while self._started:
            process = self._started.pop()
            process.terminate()
            process.wait(DAEMON_SECONDS)
        for line in Path("/proc/mounts").read_text().splitlines():
            where = line.split()[1]
            if where.startswith(f"{self.folder}/"):
                subprocess.run(["umount", where], check=False)

    def run(self, *arguments: str) -> str:
        """Give what ``docker …`` prints.

        Raises
        ------
        CheckError
            It failed.
        """
        done = subprocess.run(
            ["docker", *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
        )
        if done.returncode:
            raise CheckError(f"docker {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def image(self, name: str) -> dict[str, Any]:
        """What ``docker image inspect`` says of an image."""
        (found,) = json.loads(self.run("image", "inspect", name))
        return dict(found)

    def _start_engine(self) -> None:
        # A machine without a bridge or iptables will do: what needs a network shares the host's.
        if os.geteuid() or not shutil.which("dockerd"):
            raise CheckError("No Docker engine answers; to start one, this needs dockerd and root.")
        address = f"unix://{self.folder / 'docker.sock'}"
        command = ["dockerd", "--bridge=none", "--iptables=false", "--ip6tables=false"]
        command += ["--host", address, "--pidfile", str(self.folder / "docker.pid")]
        command += ["--data-root", str(self.folder / "docker")]
        command += ["--exec-root", str(self.folder / "run")]
        log = (self.folder / "dockerd.log").open("wb")
        self._started.append(subprocess.Popen(command, stdout=log, stderr=log))
        self.own = True
        self.environment["DOCKER_HOST"] = address
        self.environment["DOCKER_CONFIG"] = str(self.folder / "config")
        self._wait("dockerd", lambda: self.run("info"))

    def _add_buildx(self) -> None:
        """Take Debian's buildx where the machine has none; its stable release lacks the package."""
        command = ["docker", "buildx", "version"]
        if not subprocess.run(
            command, capture_output=True, env=self.environment, check=False
        ).returncode:
            return
        lists, package = self.folder / "lists", self.folder / "package"
        for folder in (lists / "partial", package):
            folder.mkdir(parents=True)
        source = self.folder / "trixie.list"
        source.write_text(f"deb [signed-by={_KEYS}] {_mirror()} trixie main\n")
        options = [f"-oDir::Etc::sourcelist={source}", "-oDir::Etc::sourceparts=-"]
        options += [f"-oDir::State::Lists={lists}", "-oAPT::Sandbox::User=root"]
        log = self.folder / "buildx.log"
        finished(["apt-get", *options, "update"], log, self.environment)
        download = f"cd {package} && apt-get {' '.join(options)} download docker-buildx"
        finished(["bash", "-c", f"{download} && dpkg -x *.deb ."], log, self.environment)
        self.environment.setdefault("DOCKER_CONFIG", str(self.folder / "config"))
        plugins = Path(self.environment["DOCKER_CONFIG"]) / "cli-plugins"
        plugins.mkdir(parents=True)
        shutil.copy2(package / _BUILDX, plugins)

    def _start_registry(self) -> None:
        settings = self.folder / "registry.yml"
        settings.write_text(
            "version: 0.1\nlog: {level: warn}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder / 'registry'}}}}}\n"
            f"http: {{addr: '{self.registry}'}}\n"
        )
        log = (self.folder / "registry.log").open("wb")
        self._started.append(
            subprocess.Popen(["docker-registry", "serve", str(settings)], stdout=log, stderr=log)
        )
        host, _, port = self.registry.partition(":")
        self._wait("docker-registry", lambda: socket.create_connection((host, int(port))).close())

    def _wait(self, name: str, answers: Any) -> None:
        end = time.monotonic() + DAEMON_SECONDS
        while True:
            try:
                answers()
            except (CheckError, OSError) as error:
                if self._started[-1].poll() is not None or time.monotonic() > end:
                    raise CheckError(
                        f"{name} does not start; its log is in {self.folder}"
                    ) from error
                time.sleep(0.2)
            else:
                return
