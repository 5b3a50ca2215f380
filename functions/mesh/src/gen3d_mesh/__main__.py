"""Make a mesh from a gaussian splat or another mesh: ``gen3d-mesh splat.ply out.glb``.

What computes is imported late: what is refused is so within a fraction of a second.
"""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gen3d.errors import Gen3DError, InvalidSplat
from gen3d_mesh.endings import FORMATS, NotInstalled, ending_of, require

if TYPE_CHECKING:
    from gen3d_mesh.read import Source

_UPS = ("y", "-y", "z")
_QUALITIES = ("preview", "standard", "fine")


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="gen3d-mesh", description=(__doc__ or "").partition("\n")[0].replace("``", "`")
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="splat|mesh",
        help="PLY (3DGS, 2DGS, compressed), SPZ 2 to 4, SOG, .splat, .ksplat or GLB of gaussians; "
        "or a mesh to repair: GLB, OBJ, PLY, STL",
    )
    parser.add_argument(
        "out", type=Path, nargs="+", help=f"files to write: {', '.join(FORMATS)} or png"
    )
    parser.add_argument(
        "--quality", choices=_QUALITIES, help="of a splat's mesh; standard where none is said"
    )
    parser.add_argument("--up", choices=_UPS, help="axis of the splat that points to the sky")
    parser.add_argument("--size", type=_millimetres, help="longest side in mm")
    parser.add_argument("--stand", action="store_true", help="on the ground, not centred at 0")
    parser.add_argument("--faces", type=_Number(4, 2_000_000), help="at most so many faces")
    parser.add_argument(
        "--texture", type=_Number(0, 8192), help="texels along its edge; 0 for vertex colours"
    )
    parser.add_argument(
        "--normal-map", action=argparse.BooleanOptionalAction,
        help="of what a splat's fewer faces lost, with the texture; made where it shows",
    )  # fmt: skip
    parser.add_argument(
        "--lod", type=_Number(1, 6), default=1, metavar="N",
        help="N levels of detail, each of a quarter of the faces: out.glb, out.lod1.glb, …",
    )  # fmt: skip
    parser.add_argument(
        "--remesh", choices=("triangles",), help="a mesh anew, of triangles of about one size"
    )
    parser.add_argument(
        "--holes", type=_Number(0, 100_000), metavar="N",
        help="fill holes of a mesh of at most N edges (30)",
    )  # fmt: skip
    args = parser.parse_args(words)
    for path in args.out:
        if ending_of(path) is None and path.suffix.lower() != ".png":
            parser.error(f"{path.name} has none of the endings {', '.join(FORMATS)}, png")
    written = [file.resolve() for path in args.out for _, file in _files(path, args.lod)]
    for file in written:
        if written.count(file) > 1:
            parser.error(f"{file.name} would be written twice")
        if file.exists() and args.source.exists() and file.samefile(args.source):
            parser.error(f"{file.name} is what is read: give the mesh another name")
        if file.is_dir() or not file.parent.is_dir():
            parser.error(f"{file} is no file, or lies in no folder: make the folder first")
        if not os.access(file.parent, os.W_OK):
            parser.error(f"{file.parent} cannot be written to")
    return args


def _files(path: Path, levels: int) -> Iterator[tuple[int, Path]]:
    """The levels of detail that are written for a name, and where."""
    ending = ending_of(path) or "png"
    stem, end = path.name[: -len(ending) - 1], path.name[-len(ending) - 1 :]
    for level in range(levels):
        yield level, path.with_name(f"{stem}.lod{level}{end}") if level else path


class _Number:
    """A whole number within bounds, for argparse."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, word: str) -> int:
        if not word.isdecimal() or len(word) > 9 or not self.least <= int(word) <= self.most:
            raise argparse.ArgumentTypeError(
                f"{word[:20]!r} is no number from {self.least} to {self.most:,}"
            )
        return int(word)


def _millimetres(word: str) -> float:
    try:
        size = float(word)
    except ValueError:
        size = 0.0
    if not 1e-3 <= size <= 1e7:
        raise argparse.ArgumentTypeError(f"{word[:20]!r} is no length in mm")
    return size


def main() -> int:
    """Read the command line, build, write; figures go to standard output as JSON.

    Returns
    -------
    int
        0, or 1 with a sentence on standard error.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # was closed, and the next file would take its place
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  as long as we run
    words = sys.argv[1:]
    if "--up" in words[:-1]:  # or argparse takes -y for an option
        at = words.index("--up")
        words[at : at + 2] = [f"--up={words[at + 1]}"]
    args = _arguments(words)
    try:
        for path in args.out:
            require(ending_of(path))
        _make(args)
    except Gen3DError as error:
        print(f"{error.name}: {error.message}", file=sys.stderr)
    except NotInstalled as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or args.source}: {error.strerror}", file=sys.stderr)
    except MemoryError:
        print("This machine has too little memory for it: try --quality preview.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130  # as a shell counts what the key ended
    else:
        return 0
    return 1


def command() -> int:
    """`main` in a process of its own, which ends with it.

    What is left is for the system to take: Python would go through all of numba's objects first,
    for a tenth of the seconds that a mesh takes.
    """
    code = main()
    gc.freeze()
    return code


def _make(args: argparse.Namespace) -> None:
    source, milliseconds = _read(args.source)
    from gen3d_mesh.warm import compiled, find_cache, without_blas

    without_blas()
    find_cache()
    from gen3d_mesh.place import longest_side
    from gen3d_mesh.tool import make
    from gen3d_mesh.write import put, save

    if not compiled():
        print("Its kernels are compiled first, once: that takes half a minute.", file=sys.stderr)
    made = make(
        source, up=args.up, quality=args.quality, faces=args.faces, texels=args.texture,
        stand=args.stand, levels=args.lod, even=args.remesh is not None, holes=args.holes,
        normal_map=args.normal_map, progress=_progress,
    )  # fmt: skip
    made.figures.timings["read"] += milliseconds
    for path in args.out:
        for level, there in _files(path, args.lod):
            coloured = made.levels[level]
            with made.figures.step(there.name):
                if ending_of(path) is None:
                    from gen3d_mesh.preview import render

                    put(there, render(coloured))
                else:
                    # All levels in one scale: the coarser are smaller by a hair.
                    share = longest_side(coloured) / longest_side(made.coloured)
                    size = args.size and args.size * share
                    save(coloured, there, args.out[0].name.split(".")[0], size)
    for note in (*made.notes, *made.figures.warnings):
        print(note, file=sys.stderr)
    if args.size is None and any(ending_of(path) == "3mf" for path in args.out):
        print("The 3MF is 100 mm long; --size says otherwise.", file=sys.stderr)
    _tell(json.dumps(made.answer(), indent=2))


def _read(path: Path) -> "tuple[Source | Path, int]":
    """A splat, read before anything that computes is imported, and the milliseconds that it took.

    A mesh stays a path.
    """
    from gen3d_mesh.kinds import kind_of
    from gen3d_mesh.read import read

    # Looked at more than once, which a pipe does not let happen.
    if not path.is_file() and not path.is_dir() and (path.exists() or str(path) == "-"):
        raise InvalidSplat(f"{path} is a pipe or a device. Save what it gives in a file first.")
    if kind_of(path) is not None:
        return path, 0
    _progress("read")
    start = time.perf_counter()
    source = read(path)
    return source, round(1000 * (time.perf_counter() - start))


def _tell(answer: str) -> None:
    """Print to standard output, whose other end may be gone: the files are there all the same."""
    try:
        print(answer, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        error.filename = "standard output"
        raise


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"{step} …", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command())
