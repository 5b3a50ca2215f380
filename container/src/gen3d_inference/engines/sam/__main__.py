"""``python -m gen3d_inference.engines.sam``: prepares the sam engine's weights."""

import argparse
import sys
from importlib import import_module

COMMANDS = {
    "fetch-weights": "gen3d_inference.engines.sam.fetch",
    "export-decoder": "gen3d_inference.engines.sam.export",
}
"""Command → the module whose `main` carries it out; each needs other libraries."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m gen3d_inference.engines.sam", description=__doc__
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="COMMAND --help lists them")
    options = parser.parse_args(arguments)
    status: int = import_module(COMMANDS[options.command]).main(options.arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
