"""``python -m gen3d_mesh splat.ply out.glb``: make a mesh from a splat."""

import argparse
import json
import sys
from pathlib import Path

from gen3d.errors import Gen3DError
from gen3d.paths import MESH_FORMATS
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.write import ending_of, save


def main() -> int:
    """Read the command line, build, write; figures go to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_mesh", description=__doc__)
    parser.add_argument("splat", type=Path, help="a 3D Gaussian Splatting PLY")
    parser.add_argument(
        "out", type=Path, nargs="+", help=f"files to write: {', '.join(MESH_FORMATS)} or png"
    )
    parser.add_argument("--quality", choices=QUALITIES, default="standard")
    parser.add_argument("--faces", type=int, help="at most so many faces")
    args = parser.parse_args()
    for path in args.out:
        if ending_of(path) is None and path.suffix != ".png":
            parser.error(f"{path.name} has none of the endings {', '.join(MESH_FORMATS)}, png")
    try:
        coloured, figures = build(args.splat, QUALITIES[args.quality], args.faces)
    except Gen3DError as error:
        print(f"{error.name}: {error.message}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{args.splat}: {error.strerror}", file=sys.stderr)
        return 1
    for path in args.out:
        with figures.step(path.suffix.removeprefix(".")):
            if path.suffix == ".png":
                from gen3d_mesh.preview import render

                path.write_bytes(render(coloured))
            else:
                save(coloured, path, name=args.out[0].stem)
    print(json.dumps(figures.answer(), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
