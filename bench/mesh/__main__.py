"""``python -m bench.mesh``: one table, each row measured in a process of its own.

Seconds do not include imports. Processor seconds are those of both threads, which depend less on
what else the machine does. Peak memory is the whole process's.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
from bench.mesh import shapes  # noqa: E402
from bench.mesh.clouds import half_faint, splat_of, with_hole  # noqa: E402
from bench.mesh.methods import METHODS  # noqa: E402
from bench.mesh.score import score  # noqa: E402
from gen3d_mesh.sample import write_splat  # noqa: E402

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = (
    "| cloud | method | F 1 % | F 0.5 % | colour | closed | Euler (true) | parts | faces | GLB MB "
    "| s | CPU s | peak MB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def make_cloud(name: str, thousands: int, path: Path) -> None:
    """Write the splat of a shape, or of a harder one: ``mug, half faint`` and the like."""
    shape, _, trouble = name.partition(", ")
    mesh = shapes.build(shape)
    count = 1000 * thousands
    splat = splat_of(mesh, count, floaters=0.05 if trouble == "5 % floaters" else 0.02)
    if trouble == "half faint":
        splat = half_faint(splat)
    elif trouble == "hole":
        splat = with_hole(splat, mesh)
    write_splat(path, splat)


def measure(method: str, name: str, path: Path) -> dict[str, Any]:
    """Run one method once, after a run on a small cloud that loads and compiles."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.ply"
        make_cloud("sphere", 20, small)
        METHODS[method](small)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = METHODS[method](path)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    truth = shapes.build(name.partition(", ")[0])
    return {
        **asdict(score(result.mesh, truth, result.colors, result.texture)),
        # A mesh is closed: around an open sheet it has the Euler number of the sheet's two sides.
        "true_euler": truth.euler_number * (1 if truth.is_watertight else 2),
        "faces": len(result.mesh.faces),
        "glb": result.glb_bytes / 1e6,
        "seconds": seconds,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak": peak_bytes() / 1e6,
    }


def peak_bytes() -> int:
    """The most memory that this process has held; rusage tells of the one that started it too."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def row(name: str, thousands: int, method: str, m: dict[str, Any]) -> str:
    """One line of the table."""
    return (
        f"| {name}, {thousands} k | {method} | {m['f1']:.4f} | {m['f05']:.4f} | {m['color']:.3f} "
        f"| {'yes' if m['watertight'] else 'no'} | {m['euler']} ({m['true_euler']}) "
        f"| {m['components']} | {m['faces']:,} | {m['glb']:.2f} "
        f"| {m['seconds']:.1f} | {m['cpu']:.1f} | {m['peak']:.0f} |"
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
]  # fmt: skip


def main() -> None:
    """Measure the plan, or the one row named by the hidden arguments."""
    parser = argparse.ArgumentParser(prog="python -m bench.mesh", description=__doc__)
    parser.add_argument("--only", help="just the clouds or methods whose name holds this")
    parser.add_argument("--save", action="store_true", help="write RESULTS.md")
    parser.add_argument("--row", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        method, name, path = args.row
        print(json.dumps(measure(method, name, Path(path))))
        return
    lines = [HEAD]
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for name, thousands, method in PLAN:
            if args.only and args.only not in f"{name}; {method}":
                continue
            path = Path(folder) / f"{name} {thousands}.ply"
            if not path.exists():
                make_cloud(name, thousands, path)
            command = [sys.executable, "-W", "ignore", "-m", "bench.mesh"]
            done = subprocess.run(
                [*command, "--row", method, name, str(path)], capture_output=True, text=True
            )
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
                lines.append(f"| {name}, {thousands} k | {method} | {reason} |")
            else:
                measured = json.loads(done.stdout.strip().splitlines()[-1])
                lines.append(row(name, thousands, method, measured))
            print(lines[-1], flush=True)
    if args.save:
        intro, _, _ = RESULTS.read_text().partition(HEAD)
        RESULTS.write_text(intro + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
