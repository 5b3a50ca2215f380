"""The command line."""

import argparse
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from gen3d_client.errors import ApiClientError
from local_aws.settings import ROOT, LocalError, Settings

USER = "you@example.com"
PASSWORD = "gen3d-on-this-machine-1"  # noqa: S105  opens nothing but what listens on 127.0.0.1


def main(arguments: list[str] | None = None) -> int:
    """Run a command; what a person can mend is one sentence and exit code 1."""
    options = _parser().parse_args(arguments)
    idle = float(os.environ.get("GEN3D_LOCAL_IDLE_SECONDS") or 600)
    wake = float(os.environ.get("GEN3D_LOCAL_WAKE_SECONDS") or 0)
    folder, template = options.folder.resolve(), options.template.resolve()
    named = os.environ.get("GEN3D_LOCAL_PYTHONPATH") or ""
    python_path = ":".join(str(Path(each).resolve()) for each in named.split(":") if each)
    settings = Settings(options.port, folder, template, idle, wake, python_path)
    signal.signal(signal.SIGTERM, _terminate)
    # A shell has it ignored in what it starts in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        options.command(settings, options)
    except (LocalError, ApiClientError) as error:
        print(f"gen3d: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    port = int(os.environ.get("GEN3D_LOCAL_PORT") or 20005)
    folder = Path(os.environ.get("GEN3D_LOCAL_FOLDER") or ROOT / ".local")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--port", type=int, default=port, help="(%(default)s)")
    common.add_argument("--folder", type=Path, default=folder, help="state and logs (%(default)s)")
    common.add_argument("--template", type=Path, default=ROOT / "template.yaml")
    common.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template; may be repeated",
    )
    photo = argparse.ArgumentParser(add_help=False)
    photo.add_argument("--click", default="", help='on the object, as "x,y x,y -x,y"')
    photo.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="PART.NAME=VALUE",
        help="for the object, such as mesh.quality=fine; a job says what there is; repeatable",
    )
    photo.add_argument("--out", type=Path, default=Path("out"), help="folder for the files")

    parser = argparse.ArgumentParser(prog="python -m gen3d_local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    up = commands.add_parser("up", parents=[common], help="start, deploy, and stay")
    up.set_defaults(command=_up)
    run = commands.add_parser("run", parents=[common, photo], help="the same, with a photo")
    run.add_argument("--image", type=Path, required=True)
    run.add_argument("--oneshot", action="store_true", help="exit when the photo is done")
    run.set_defaults(command=_run)
    job = commands.add_parser("job", parents=[common, photo], help="a photo on a stack that is up")
    job.add_argument("image", type=Path)
    job.set_defaults(command=_job)
    clean = commands.add_parser("clean", parents=[common], help="forget the state")
    clean.set_defaults(command=_clean)
    return parser


def _up(settings: Settings, options: argparse.Namespace) -> None:
    with _stack(settings, options):
        _stay()


def _run(settings: Settings, options: argparse.Namespace) -> None:
    send = _photo_to_send(options)  # before anything has started
    with _stack(settings, options) as outputs:
        send(settings, outputs)
        if not options.oneshot:
            _stay()


def _job(settings: Settings, options: argparse.Namespace) -> None:
    send = _photo_to_send(options)
    from gen3d_local.outputs import read

    os.environ.update(settings.client_environment() | settings.credentials())
    send(settings, read(settings.url))


def _clean(settings: Settings, _options: argparse.Namespace) -> None:
    from local_aws.stack import claim

    if settings.folder.exists():
        claim(settings.folder).close()
        shutil.rmtree(settings.folder)


@contextmanager
def _stack(settings: Settings, options: argparse.Namespace) -> Iterator[dict[str, str]]:
    """A stack that is up and deployed; ends with everything that it started."""
    from gen3d_local import contents
    from local_aws.stack import Stack

    parameters = _parameters(settings, options) | contents.parameters(settings.template.parent)
    stack = Stack(settings)
    try:
        print(f"Starting on {settings.url} ...", flush=True)
        begun = time.monotonic()
        stack.start()
        started = time.monotonic()
        outputs = stack.deploy(parameters, partial(contents.fill, settings))
        now = time.monotonic()
        if "Engine" in outputs:  # Gen3D, and not another template
            from gen3d_local.one_photo import make_account

            make_account(outputs, USER, PASSWORD)
        print(f"Up in {started - begun:.1f} s, deployed in {now - started:.1f} s.")
        if stack.resumed:
            print(f"Gone on with what the last stop had cut off: {', '.join(stack.resumed)}")
        if stack.lost:
            print(f"Ended what could not go on after the last stop: {', '.join(stack.lost)}")
        print(f"  web app  {settings.url}/  ({USER}, {PASSWORD})")
        print(f"  console  {settings.url}/_gen3d/", flush=True)
        yield outputs
    finally:
        stack.stop()


def _parameters(settings: Settings, options: argparse.Namespace) -> dict[str, str]:
    parameters = {
        "Engine": "lite",
        "ContainerImage": "local/container:latest",
        "SenderEmail": "gen3d@example.com",
        "AdminEmail": "admin@example.com",
        "AllowSelfSignUp": "true",
        "WebOrigins": settings.url,
    }
    for text in options.parameter:
        name, found, value = text.partition("=")
        if not found:
            raise LocalError(f"{text!r} is no parameter. Write NAME=VALUE.")
        parameters[name] = value
    return parameters


def _photo_to_send(options: argparse.Namespace) -> Callable[[Settings, dict[str, str]], None]:
    """Check what was said of a photo; gives what sends it to a stack with these outputs."""
    from gen3d_client import clicks, option_words, photos
    from gen3d_client.plans import Plan, Wanted

    size = photos.size(options.image)
    made = clicks.parse(options.click)
    clicks.check(made, *size)
    chosen = option_words.parse(options.option)
    wanted = Wanted(name=options.image.stem, clicks=made, options=chosen)
    plan = Plan(photo=options.image, objects=[wanted])
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(
            f"The folder {options.out} cannot be made: {error.strerror}. Name another one."
        ) from None
    if not os.access(options.out, os.W_OK | os.X_OK):
        raise LocalError(f"Nothing may be written into {options.out}. Name another folder.")

    def send(settings: Settings, outputs: dict[str, str]) -> None:
        from gen3d_local import one_photo

        with one_photo.client(settings.url, outputs, USER, PASSWORD) as gen3d:
            one_photo.run(gen3d, plan, options.out, f"{settings.url}/_gen3d/")

    return send


def _stay() -> None:
    print("Ctrl-C ends it.", flush=True)
    threading.Event().wait()


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
