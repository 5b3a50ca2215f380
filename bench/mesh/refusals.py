"""``python -m bench.mesh.refusals [--save]``: what the command costs that refuses a file.

Each damaged file of each format is given to ``python -m gen3d_mesh`` in a process of its own, whose
processor seconds and peak memory, those of the process that unpacks included, stand in a table.
The files are those that `functions/mesh/tests/test_read.py` makes, and clouds without a surface.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import gaussforge
import numpy as np

from gen3d_mesh.sample import on_surface, write_splat

TESTS = Path(__file__).parents[2] / "functions/mesh/tests"
RESULTS = Path(__file__).with_name("REFUSALS.md")

SECONDS, MEGABYTES = 1.0, 300
"""What none should take; what does is bold."""

COUNT = 40_000
"""Gaussians of a cloud without a surface."""

KINDS = ("cut off", "NaN", "10⁹ and more", "Git LFS", "empty", "plane", "line", "transparent")
PACKED = {"compressed PLY": "compressed.ply", "SPZ": "spz", "SOG": "sog", ".splat": "splat",
          ".ksplat": "ksplat"}  # fmt: skip
"""Formats that GaussForge writes, and their endings."""

FORMATS = ("PLY", *PACKED, "GLB")


@dataclass(frozen=True)
class Cost:
    """Of one refusal.

    Attributes
    ----------
    seconds : float
        Of a processor.
    megabytes : float
        At most at once, of the largest of its processes.
    error : str
        Its name, or what else happened.
    """

    seconds: float
    megabytes: float
    error: str


def _format_of(name: str) -> str:
    endings = {**PACKED, "GLB": "glb"}
    return next((each for each in endings if name.endswith(f".{endings[each]}")), "PLY")


def _kind_of(name: str) -> str | None:
    """The column of a file of the tests, by how they call it."""
    starts = {"cut": "cut off", "nan": "NaN", "lfs": "Git LFS", "empty": "empty"}
    for start, kind in starts.items():
        if name.startswith(start):
            return kind
    return "10⁹ and more" if name[0].isdigit() else None


def cells() -> Iterator[tuple[str, str, str, bytes]]:
    """Of each file: its format, what is wrong with it, its name and its bytes."""
    package = ModuleType("mesh_tests")
    package.__path__ = [str(TESTS)]
    sys.modules["mesh_tests"] = package
    tests = import_module("mesh_tests.test_read")
    for name, data, _ in tests.bad():
        kind = _kind_of(name)
        if kind is not None:
            yield _format_of(name), kind, name.split()[-1], data
    whole = tests.head_and_rows()
    for n in range(10):
        yield "PLY", "cut off", "cut.ply", whole[: len(whole) * n // 10]
    for count in (10**9, 10**30):
        yield "PLY", "10⁹ and more", "many.ply", whole.replace(b" 200\n", b" %d\n" % count, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flat.ply"
        for kind, points in _flat().items():
            opacity = 0.001 if kind == "transparent" else 0.9
            write_splat(path, on_surface(points, np.full(points.shape, 0.5), 0.005, opacity))
            data = path.read_bytes()
            yield "PLY", kind, "flat.ply", data
            for format, ending in PACKED.items():
                made = gaussforge.GaussForge().convert(data, "ply", ending)["data"]
                yield format, kind, f"flat.{ending}", made


def _flat() -> dict[str, np.ndarray]:
    side = np.linspace(0, 1, int(COUNT**0.5))
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return {
        "plane": np.c_[grid, np.zeros(len(grid))],
        "line": np.linspace((0, 0, 0), (1, 0, 0), COUNT),
        "transparent": np.random.default_rng(0).random((COUNT, 3)),
    }


def cost(name: str, data: bytes) -> Cost:
    """Give a file to the command."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        # What `getrusage` says of a process's own memory begins with its parent's: a test's, say.
        script = (
            "import resource, sys; from gen3d_mesh.__main__ import main; code = main()\n"
            "used = [resource.getrusage(who) for who in (0, -1)]\n"
            "own = open('/proc/self/status').read().split('VmHWM:')[1].split()[0]\n"
            "print(code, sum(u.ru_utime + u.ru_stime for u in used), "
            "max(int(own), used[1].ru_maxrss))"
        )
        words = [sys.executable, "-c", script, str(path), str(Path(folder) / "out.stl")]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=120, env=os.environ
        )
    said = done.stdout.split()
    if len(said) != 3 or said[0] != "1":
        return Cost(0, 0, f"NOT REFUSED: {(done.stdout + done.stderr)[-60:]!r}")
    return Cost(float(said[1]), int(said[2]) / 1024, done.stderr.partition(":")[0])


def least_cost(name: str, data: bytes) -> Cost:
    """The cost of a refusal, of up to three where it is too much: other work makes some slower."""
    found = [cost(name, data)]
    while found[-1].seconds > SECONDS and len(found) < 3:
        found.append(cost(name, data))
    return min(found, key=lambda each: each.seconds)


def main() -> None:
    """Print the table, and save it."""
    parser = argparse.ArgumentParser(prog="python -m bench.mesh.refusals", description=__doc__)
    parser.add_argument("--save", action="store_true", help=f"to {RESULTS.name}")
    save = parser.parse_args().save
    found = defaultdict[tuple[str, str], list[Cost]](list)
    for format, kind, name, data in cells():
        found[format, kind].append(least_cost(name, data))
    lines = [f"| format | {' | '.join(KINDS)} |", "|" + (len(KINDS) + 1) * "---|"]
    for format in FORMATS:
        row = [_cell(found[format, kind]) for kind in KINDS]
        lines.append(f"| {format} | {' | '.join(row)} |")
    table = "\n".join(lines)
    print(table)
    if save:
        RESULTS.write_text(
            "# What refusing a file costs\n\n    python -m bench.mesh.refusals --save\n\n"
            "Processor seconds and peak MB of the whole command, the largest of each cell's "
            f"files, which are counted ({sum(map(len, found.values()))} in all), each the least of "
            f"up to three runs; the errors are named. Over {SECONDS:g} s or {MEGABYTES} MB is bold."
            f"\n\n{table}\n"
        )


def _cell(costs: list[Cost]) -> str:
    if not costs:
        return "–"
    seconds, megabytes = max(c.seconds for c in costs), max(c.megabytes for c in costs)
    spent = f"{seconds:.2f} s, {megabytes:.0f} MB"
    if seconds > SECONDS or megabytes > MEGABYTES:
        spent = f"**{spent}**"
    times = f"{len(costs)} × " if len(costs) > 1 else ""
    return f"{times}{', '.join(sorted({c.error for c in costs}))}: {spent}"


if __name__ == "__main__":
    main()
