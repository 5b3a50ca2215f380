"""``python -m tests.images``: what ``make image-check`` runs.

Builds the functions' images by ``sam build`` and the lite image by the buildspec's lines, starts
each as AWS does, does a job with each, and builds the images of open and sam as far as they get.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.images import build, run
from tests.images.base import Bases
from tests.images.docker import CheckError, Docker

_STEP = 300
"""Characters of a build's step that are enough to know it."""

_HEAD = ("image", "size MB", "build s", "start s", "memory MB", "manifest", "job")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep logs and images")
    parser.add_argument("--engines", default="lite,function,open,sam", help="the images to build")
    options = parser.parse_args(arguments)
    engines = options.engines.split(",")
    folder = Path(tempfile.mkdtemp(prefix="gen3d-images-"))
    rows: list[tuple[str, ...]] = []
    failed: list[str] = []
    try:
        with Docker(folder) as docker, run.s3() as (files, environment):
            version = docker.run("version", "--format={{.Server.Version}}")
            where = f"started for this, in {folder}" if docker.own else "the machine's own"
            print(f"Docker {version}, {where}", flush=True)
            bases = Bases(docker)
            if "lite" in engines:
                print("lite: builds, then a job", flush=True)
                built = build.inference(docker, bases, "lite")
                rows.append(_row("lite", built, run.lite(docker, built.name, files, environment)))
                print("mesh: builds, then that job's splat", flush=True)
                built = build.function(docker, bases, build.MESH)
                rows.append(_row("mesh", built, run.mesh(docker, built.name, files, environment)))
            if "function" in engines:
                print("lite function: builds, then a photo and an object", flush=True)
                built = build.function(docker, bases, build.LITE)
                done = run.lite_function(docker, built.name, files, environment)
                rows.append(_row("lite function", built, done))
            for engine in [each for each in ("open", "sam") if each in engines]:
                print(f"{engine}: builds as far as it gets", flush=True)
                try:
                    rows.append(_row(engine, build.inference(docker, bases, engine), None))
                except CheckError as error:
                    rows.append(
                        (engine, *["–"] * 5, f"not built whole; it ends at: {_reason(str(error))}")
                    )
            for line in dict.fromkeys(bases.said):
                print(f"base {line}")
    except CheckError as error:
        failed.append(str(error))
    finally:
        if options.keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(_table([_HEAD, *rows]))
    for message in failed:
        print(message, file=sys.stderr)
    return 1 if failed else 0


def _row(name: str, built: build.Built, result: run.Result | None) -> tuple[str, ...]:
    return (
        name,
        f"{built.bytes / 1e6:.0f}",
        f"{built.seconds:.0f}",
        f"{result.start:.1f}" if result else "–",
        f"{result.memory / 1e6:.0f}" if result else "–",
        "Docker" if built.manifest == build.MANIFEST else built.manifest,
        result.job if result else "built; not started, for want of a GPU and of the weights",
    )


def _reason(message: str) -> str:
    """The line of a build's log that names the step at which it ended."""
    lines = message.splitlines()
    step = [
        line for line in lines if "executor failed running" in line or "did not complete" in line
    ]
    return " ".join((step or lines)[0].split())[:_STEP]


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


if __name__ == "__main__":
    sys.exit(main())
