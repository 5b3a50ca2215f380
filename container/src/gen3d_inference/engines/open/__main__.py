"""``python -m gen3d_inference.engines.open fetch-weights``: prepares the open engine's weights."""

import sys

from gen3d_inference.engines.open import publishers


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] != ["fetch-weights"]:
        print(__doc__, file=sys.stderr)
        return 2
    return publishers.main(given[1:])


if __name__ == "__main__":
    sys.exit(main())
