"""Makes a mesh of each photo that somebody puts into a folder: ``watched_folder.py FOLDER``.

The mesh comes beside the photo, of the same name; a photo that is refused is named, and not tried
again. Sign in first: ``gen3d login``. Ctrl-C ends it; what is there is left out at the next start.
"""

import argparse
import time
from pathlib import Path

from gen3d_client.access import client
from gen3d_client.errors import ApiClientError, JobFailed, Refused
from gen3d_client.plans import from_words
from gen3d_client.sign_ins import Kept

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def main() -> None:
    """Watch, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--once", action="store_true", help="end when nothing is left to do")
    options = parser.parse_args()
    refused: set[Path] = set()
    sizes: dict[Path, int] = {}
    while True:
        waiting = [photo for photo in new(options.folder) if photo not in refused]
        for photo in waiting:
            if sizes.get(photo) != photo.stat().st_size:  # it may still be on its way
                sizes[photo] = photo.stat().st_size
                continue
            if not made(photo):
                refused.add(photo)
        if options.once and not waiting:
            return
        time.sleep(1)


def new(folder: Path) -> list[Path]:
    """Photos without a mesh."""
    photos = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS)
    return [photo for photo in photos if not photo.with_suffix(".glb").exists()]


def made(photo: Path) -> bool:
    """Whether a mesh came of a photo; what keeps all photos from it ends the program."""
    mesh = photo.with_suffix(".glb")
    try:
        plan = from_words(photo, [])
        with client(Kept(), "") as gen3d:
            gen3d.save(gen3d.make(plan), mesh)
    except ApiClientError as error:
        print(f"{photo.name}: {error}", flush=True)
        if isinstance(error, JobFailed | Refused) or type(error) is ApiClientError:
            return False
        raise SystemExit(error.code) from None
    print(mesh.name, flush=True)
    return True


if __name__ == "__main__":
    main()
