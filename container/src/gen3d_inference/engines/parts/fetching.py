"""The command line of ``fetch-weights``, whichever engine's: a folder, then perhaps a bucket."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from gen3d.errors import Gen3DError
from gen3d.paths import uri
from gen3d_inference import weights_upload
from gen3d_inference.weights import Manifest


def parser_of(engine: str, description: str | None, size: str) -> argparse.ArgumentParser:
    """The arguments that each engine takes.

    Parameters
    ----------
    engine : str
    description : str
    size : str
        Of the folder, for whom has to have room.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m gen3d_inference.engines.{engine} fetch-weights",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help=f"folder of about {size}")
    parser.add_argument("--bucket", help="where to upload them: the stack's output BucketName")
    return parser


def run(
    parser: argparse.ArgumentParser,
    arguments: list[str] | None,
    fetch: Callable[[argparse.Namespace], Manifest],
) -> int:
    """Fetch into the folder, upload where a bucket is named, and say what comes next.

    Returns
    -------
    int
        1 where an error was told, else 0.
    """
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        manifest = fetch(options)
        print(f"{options.out} is whole: {manifest.engine} {manifest.revision}.")
        if options.bucket:
            weights_upload.upload(options.out, manifest, options.bucket)
            print(f"{uri(options.bucket, weights_upload.prefix(manifest))} is whole.")
    except Gen3DError as error:
        print(error.message, file=sys.stderr)
        return 1
    if options.bucket:
        print(f"Next:\n{weights_upload.next_step(manifest)}")
    return 0
