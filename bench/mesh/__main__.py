"""``python -m bench.mesh``: one table, each row measured in a process of its own.

Seconds do not include imports. Processor seconds are those of both threads, which depend less on
what else the machine does. Peak memory is the whole process's. ``--save`` puts each row into
RESULTS.md as soon as it is there and leaves the others, so that a run may be one of many, or end
early. The peers' rows stay, as their versions do, but for ``--peers``. ``--beside REVISION`` runs
the package as it was then beside the rows of `SPEED`, or those of ``--only``, and prints those and
the ratios; ``--quick`` measures a few clouds of each kind in one process, in less than a minute.
"""

import argparse
import io
import itertools
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
from bench.mesh import atlas, shapes  # noqa: E402
from bench.mesh.clouds import half_faint, splat_of, trained_of, with_hole  # noqa: E402
from bench.mesh.methods import METHODS  # noqa: E402
from bench.mesh.score import score  # noqa: E402
from gen3d_mesh.sample import write_splat  # noqa: E402

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = (
    "| cloud | method | F 1 % | F 0.5 % | coverage (true) | colour | normals (map) | volume "
    "| closed | Euler (true) | parts (true) | faces | GLB MB | s | CPU s | peak MB "
    "| charts / used / mixed |\n|" + 17 * "---|"
)


def make_cloud(name: str, thousands: int, path: Path) -> None:
    """Write the splat of a shape, or of a harder one: ``mug, half faint`` and the like.

    A trained cloud has as many gaussians as it wants.
    """
    shape, _, trouble = name.partition(", ")
    mesh = shapes.build(shape)
    count = 1000 * thousands
    if trouble.startswith("trained"):
        splat = trained_of(mesh, floaters=0.05 if trouble.endswith("floaters") else 0.0)
    else:
        floaters = {"5 % floaters": 0.05, "no floaters": 0.0}.get(trouble, 0.02)
        splat = splat_of(mesh, count, floaters=floaters)
    if trouble == "half faint":
        splat = half_faint(splat)
    elif trouble == "hole":
        splat = with_hole(splat, mesh)
    write_splat(path, splat)


def measure(method: str, name: str, path: Path) -> dict[str, Any]:
    """Run one method once, after a run on a small cloud that loads and compiles."""
    small = path.with_name("small.ply")  # a third of a row's time to make, and the same for all
    if not small.exists():
        make_cloud("sphere", 20, small)
    METHODS[method](small)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = METHODS[method](path)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    truth = shapes.build(name.partition(", ")[0])
    return {
        **asdict(score(result.mesh, truth, result.colors, result.normals, result.texture)),
        # A mesh is closed: around an open sheet it has the Euler number of the sheet's two sides.
        "true_euler": truth.euler_number * (1 if truth.is_watertight else 2),
        "true_parts": int(truth.body_count),
        "volume": result.mesh.volume / truth.volume if truth.is_watertight else None,
        "coverage": result.coverage,
        "faces": len(result.mesh.faces),
        "glb": result.glb_bytes / 1e6,
        "seconds": seconds,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak": peak_bytes() / 1e6,
        **(asdict(atlas.measure(result.texture, result.mesh)) if result.texture else {}),
    }


def peak_bytes() -> int:
    """The most memory that this process has held; rusage tells of the one that started it too."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def called(name: str, thousands: int) -> str:
    """What the table calls a cloud."""
    return f"{name}, {thousands} k" if thousands else name


def row(name: str, thousands: int, method: str, m: dict[str, Any]) -> str:
    """One line of the table."""
    volume = "–" if m["volume"] is None else f"{m['volume']:.2f}"
    told = "–" if m["coverage"] is None else f"{m['coverage']:.3f}"
    mapped = "" if m["mapped"] is None else f" ({m['mapped']:.1f}°)"
    picture = "–"
    if "charts" in m:
        picture = f"{m['charts']} / {m['used']:.2f} / {m['bleeding']:.2%}"
    return (
        f"| {called(name, thousands)} | {method} | {m['f1']:.4f} | {m['f05']:.4f} "
        f"| {told} ({m['covered']:.3f}) | {m['color']:.3f} "
        f"| {m['normal']:.1f}°{mapped} | {volume} "
        f"| {'yes' if m['watertight'] else 'no'} | {m['euler']} ({m['true_euler']}) "
        f"| {m['components']} ({m['true_parts']}) | {m['faces']:,} | {m['glb']:.2f} "
        f"| {m['seconds']:.1f} | {m['cpu']:.1f} | {m['peak']:.0f} | {picture} |"
    )


PLAN = [
    *(
        (shape, 300, method)
        for shape in ("chair", "mug", "sphere", "torus", "two parts")
        for method in ("preview", "standard", "standard, no texture")
    ),
    *(
        (shape, 300, method)
        for shape in ("chair", "mug")
        for method in ("fine", "open3d alone")
    ),
    ("chair", 300, "pymeshlab alone"),
    *(("mug", thousands, "standard") for thousands in (100, 600, 1300)),
    *(
        (name, 300, "standard")
        for name in ("mug, half faint", "mug, 5 % floaters", "mug, hole", "chair, half faint",
                     "sphere, hole", "bowl")
    ),
    *(
        (shape, 300, method)
        for shape in ("sphere", "mug", "chair", "bumps 4", "bumps 6", "bumps 12")
        for method in ("standard, normal map", "standard, 5,000 faces, normal map")
    ),
    *(
        (f"bumps {percent}", 300, method)
        for percent in (4, 6, 12)
        for method in ("standard", "standard, 5,000 faces")
    ),
    *(
        (f"{shape}, trained{with_}", 0, "standard")
        for shape in ("sphere", "chair", "mug")
        for with_ in ("", ", 5 % floaters")
    ),
    *(
        (f"berries {percent}{with_}", 300, "standard")
        for percent in (14, 5)
        for with_ in (", no floaters", "", ", 5 % floaters")
    ),
    *(
        (f"{vessel} {percent}", 300, "standard")
        for vessel in ("jug", "bottle", "vase")
        for percent in (8, 12, 18, 26)
    ),
    *(
        (name, 300, quality)
        for name in ("gap 0.6", "gap 1", "gap 1.8", "gap 2.1", "gap 2.7", "chain", "wheel 1.8",
                     "wheel 0.4")
        for quality in ("standard", "fine")
    ),
    *(
        (name, thousands, quality)
        for name, thousands in (("scene", 300), ("scene, 5 % floaters", 300), ("scene, trained", 0))
        for quality in ("standard", "fine")
    ),
    *((f"{shape}, trained", 0, "fine") for shape in ("chair", "mug")),
    *((name, 300, "fine") for name in ("sphere", "torus", "chair, half faint", "jug 8", "vase 12",
                                       "bottle 8", "berries 14", "berries 5", "bowl", "bumps 6")),
    ("mug", 1300, "fine"),
]  # fmt: skip
"""Clouds, thousands of gaussians, methods."""

SPEED = {
    *PLAN[:15],
    *(("mug", thousands, "standard") for thousands in (100, 600, 1300)),
    *((shape, 300, "fine") for shape in ("chair", "mug")),
}
"""Rows that have an older build beside them: what its meshes are like is known once measured, how
fast it is depends on the hour."""

QUICK = [
    *((name, 100) for name in ("chair", "mug", "sphere, hole", "mug, 5 % floaters", "bowl")),
    *((name, 0) for name in ("chair, trained", "sphere, trained, 5 % floaters")),
    *((name, 100) for name in ("berries 14", "berries 5, no floaters", "jug 12", "gap 2.7")),
]
"""What `--quick` measures, without texture."""


def package_of(revision: str, folder: Path) -> str:
    """Unpack the package's source as of a revision, and return what to put on Python's path."""
    done = subprocess.run(
        ["git", "archive", revision, "functions/mesh/src"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return str(folder / "functions/mesh/src")


def run_row(method: str, name: str, path: Path, package: str = "") -> dict[str, Any] | str:
    """Measure one row in a process of its own, with another `package` where one is given.

    Returns
    -------
    dict or str
        The figures, or why there are none.
    """
    path_of = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.mesh", "--row", method, name, str(path)],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": path_of},
    )  # fmt: skip
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def ratios(pairs: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> list[str]:
    """Lines of a table: for each method the median, least and largest ratio to the build before."""
    lines = ["| method | clouds | CPU s | peak MB | GLB MB |", "|---|---|---|---|---|"]
    for method in dict.fromkeys(method for method, _, _ in pairs):
        mine = [(before, now) for of, before, now in pairs if of == method]
        cells = []
        for figure in ("cpu", "peak", "glb"):
            all_of = sorted(now[figure] / before[figure] for before, now in mine)
            cells.append(f"{median(all_of):.2f} ({all_of[0]:.2f}–{all_of[-1]:.2f})")
        lines.append(f"| {method} | {len(mine)} | {' | '.join(cells)} |")
    return lines


def replaced(text: str, head: str, lines: list[str], cells: int) -> str:
    """A text whose table of that `head` has these lines.

    Each takes the place of the one with the same first `cells`; what the plan has comes in its
    order, and before the rest.
    """
    before, found, rest = text.partition(head + "\n")
    if not found:
        raise ValueError(f"There is no table of this head: {head}")
    old = list(itertools.takewhile(lambda line: line.startswith("|"), rest.split("\n")))
    after = rest.split("\n")[len(old) :]

    def first(line: str) -> tuple[str, ...]:
        return tuple(cell.strip() for cell in line.split("|")[1 : 1 + cells])

    table = {first(line): line for line in [*old, *lines]}
    plan = [(called(name, thousands), method) for name, thousands, method in PLAN]
    rank: dict[tuple[str, ...], int] = {cells: place for place, cells in enumerate(plan)}
    in_order = sorted(table, key=lambda cells: rank.get(cells[:2], len(plan)))
    return before + "\n".join([head, *(table[cells] for cells in in_order), *after])


def save(head: str, lines: list[str], cells: int) -> None:
    """Put lines into a table of RESULTS.md, see `replaced`."""
    RESULTS.write_text(replaced(RESULTS.read_text(), head, lines, cells))


def main() -> None:
    """Measure the plan, or the one row named by the hidden arguments."""
    parser = argparse.ArgumentParser(prog="python -m bench.mesh", description=__doc__)
    parser.add_argument("--only", help="just the clouds or methods whose name holds this")
    parser.add_argument("--save", action="store_true", help="put the rows into RESULTS.md's tables")
    parser.add_argument("--peers", action="store_true", help="measure other libraries, too")
    parser.add_argument("--beside", help="a revision whose package is measured as well")
    parser.add_argument("--quick", action="store_true", help="a few clouds, in one process")
    parser.add_argument("--row", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        method, name, path = args.row
        print(json.dumps(measure(method, name, Path(path))))
        return
    plan = [(*cloud, "standard, no texture") for cloud in QUICK] if args.quick else PLAN
    pairs: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        before = package_of(args.beside, Path(folder)) if args.beside else ""
        for name, thousands, method in plan:
            if args.only and args.only not in f"{name}; {method}":
                continue
            if "alone" in method and not (args.peers or "alone" in (args.only or "")):
                continue
            path = Path(folder) / f"{name} {thousands}.ply"
            if not path.exists():
                make_cloud(name, thousands, path)
            then: dict[str, Any] | str = ""
            asked = args.only or args.quick or (name, thousands, method) in SPEED
            if before and asked and "alone" not in method:
                then = run_row(method, name, path, before)
                if isinstance(then, dict):
                    print(row(name, thousands, f"{method}, before", then), flush=True)
            if args.quick and not before:
                now: dict[str, Any] | str = measure(method, name, path)
            else:
                now = run_row(method, name, path)
            if isinstance(now, str):
                print(f"| {called(name, thousands)} | {method} | {now} |", flush=True)
                continue
            line = row(name, thousands, method, now)
            print(line, flush=True)
            if args.save:
                save(HEAD, [line], 2)
            if isinstance(then, dict):
                pairs.append((method, then, now))
    if pairs:
        head, rule, *lines = ratios(pairs)
        print(f"\nBeside {args.beside}, median and range of the ratios:\n")
        print("\n".join([head, rule, *lines]))
        if args.save and not args.only:
            save(f"{head}\n{rule}", lines, 1)


if __name__ == "__main__":
    main()
