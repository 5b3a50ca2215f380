"""``python -m bench.gpu``: the sam engine's `initialize` at full size, with random weights.

Latency and memory are those of real weights; masks are not, so nothing is said of them. With
``--beside FOLDER``, a checkout of another commit of this repository, that build answers first, on
the same card, with the same weights and photo; there may be several, told by their folders' names.
With ``--tiny`` everything runs on a CPU with a small network, to try this very program.
"""

import argparse
import os
import platform
import shutil
import statistics
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
import torch  # noqa: E402

from bench.gpu import serving  # noqa: E402
from bench.gpu.encoding import Row, compare, split  # noqa: E402
from bench.gpu.folder import DISPLAY_P3, make_photo, make_weights  # noqa: E402
from gen3d_inference.engines.parts.acceleration import COMPILED  # noqa: E402
from gen3d_inference.weights import MANIFEST  # noqa: E402

RESULTS = Path(__file__).parent / "RESULTS.md"
TRIED = "## What was tried\n"
NOW = "now"
LIBRARIES = ("torch", "transformers", "pillow", "boto3", "uvicorn")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def encoder_table(rows: list[Row]) -> str:
    """The network by itself."""
    head = ["image encoder", "median ms", "fastest", "prepared in s", "peak MB", "error"]
    return table(
        head,
        [
            [
                row.name,
                f"{row.median:.1f}",
                f"{row.fastest:.1f}",
                f"{row.prepared / 1000:.1f}",
                f"{row.allocated:.0f} ({row.reserved:.0f} reserved)",
                f"{row.error:.2e}",
            ]
            for row in rows
        ],
    )


def start_table(starts: dict[str, serving.Start]) -> str:
    """From the process's start."""
    return table(
        [
            "cold start, seconds",
            "first answer",
            "ready",
            "loading",
            "of it compiling",
            "slowest ping meanwhile",
        ],
        [
            [
                name,
                *(f"{s:.1f}" for s in (start.first_answer, start.ready, *start.parts)),
                f"{start.slowest_ping / 1000:.2f}",
            ]
            for name, start in starts.items()
        ],
    )


def initialize_table(runs: dict[str, dict[str, float]]) -> str:
    """Median milliseconds of each step."""
    steps = list(next(iter(runs.values())))
    return table(
        ["warm, median ms", *steps],
        [[name, *(f"{run[step]:.1f}" for step in steps)] for name, run in runs.items()],
    )


def machine(of: tuple[str, ...] = LIBRARIES) -> str:
    """What this was measured on, with these libraries."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    libraries = ", ".join(f"{name} {version(name)}" for name in of)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {gpu}, {os.cpu_count()} processors, Python "
        f"{platform.python_version()}, {libraries}.\n"
    )


def measure(tiny: bool, repeats: int, work: Path, beside: list[Path]) -> str:
    """Run everything; print each table when it is there."""
    megapixels = (640, 480) if tiny else (4000, 3000)
    photos = {
        "photo.jpg": make_photo(*megapixels),
        "turned.jpg": make_photo(*megapixels, orientation=6),
        "p3.jpg": make_photo(*megapixels, profile=DISPLAY_P3),
    }
    environment = {"GEN3D_DEVICE": "cpu"} if tiny else {}
    folder = work / "weights"
    if not (folder / MANIFEST).exists():
        make_weights(folder, tiny)
    shutil.rmtree(folder / COMPILED, ignore_errors=True)
    parts = [machine()]

    def say(part: str) -> None:
        parts.append(part)
        print(part, flush=True)

    def run(server: serving.Server, photo: str) -> dict[str, float]:
        server.initialize(photo)
        return serving.medians([server.initialize(photo) for _ in range(repeats)])

    print(parts[0], flush=True)
    starts, runs = {}, {}
    with serving.store(work / "store.log", photos) as port:
        for build in beside:
            with serving.server(folder, port, "photo.jpg", work / "log", build, **environment) as (
                server,
                _,
            ):
                runs[build.name] = run(server, "photo.jpg")
        shutil.rmtree(folder / COMPILED, ignore_errors=True)
        for name in ("nothing compiled yet", "compiled before"):
            with serving.server(folder, port, "photo.jpg", work / "log", ROOT, **environment) as (
                server,
                start,
            ):
                starts[name] = start
                if name == "nothing compiled yet":
                    continue
                for label, photo in (
                    (NOW, "photo.jpg"),
                    ("turned by EXIF", "turned.jpg"),
                    ("of Display P3", "p3.jpg"),
                ):
                    runs[label] = run(server, photo)
                with serving.pinging(server.port) as pings:
                    for _ in range(repeats):
                        server.initialize("photo.jpg")
    say(start_table(starts))
    say(f"`initialize` of a JPEG of 12 MP and {len(photos['photo.jpg']) / 1e6:.1f} MB:\n")
    say(initialize_table(runs))
    for build in beside:
        ratio = runs[NOW]["whole"] / runs[build.name]["whole"]
        say(f"That is {ratio:.2f} of what {build.name} takes.\n")
    say(
        f"{len(pings)} pings while photos were encoded: median {statistics.median(pings):.1f} ms, "
        f"slowest {max(pings):.1f} ms.\n"
    )
    inner, allocated, reserved = split(folder / "sam3", photos["photo.jpg"], repeats)
    say(
        table(["within `encode`", "median ms"], [[n, f"{ms:.1f}"] for n, ms in inner.items()])
        + f"\nThe most GPU memory with that photo: {allocated:.0f} MB, {reserved:.0f} reserved.\n"
    )
    say(encoder_table(compare(folder / "sam3", repeats)))
    return "\n".join(parts)


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a small network on the CPU")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument(
        "--beside", type=Path, action="append", default=[], help="a checkout to compare with"
    )
    parser.add_argument("--work", type=Path, help="keep weights and logs here")
    parser.add_argument("--out", type=Path, help="write the tables here, as RESULTS.md has them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        kept = options.work or Path(work)
        text = measure(options.tiny, options.repeats, kept, options.beside)
    if options.out:
        _, _, tried = RESULTS.read_text().partition(TRIED) if RESULTS.exists() else ("", "", "")
        options.out.write_text(
            f"# The sam engine, measured by `make bench-gpu`\n\n{text}\n{TRIED}{tried}"
        )


if __name__ == "__main__":
    main()
