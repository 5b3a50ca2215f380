"""Unpacks strangers' splats by GaussForge; `gen3d_mesh.read` runs it in a process of its own.

Whatever GaussForge prints goes nowhere: standard output is the pipe to the other end. It returns
errors, or no data at all, in the place of raising them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gen3d import bounded

_END = b"end_header\n"

NO_MEMORY = "memory"
"""The error of a splat that does not fit into the memory that there is."""


def unpack(request: bounded.Values, data: bytes) -> tuple[bounded.Values, bytes]:  # noqa: ARG001
    """Read a packed splat.

    Parameters
    ----------
    request : dict
        ``path`` of the file, ``format`` as GaussForge calls it, ``names`` of the properties wanted,
        ``beside``: what its folder has that belongs to it, the file's own name in it first, or
        nothing.
    data : bytes
        Nothing.

    Returns
    -------
    answer : dict
        ``count`` of gaussians, or ``error``.
    data : bytes
        Each property in turn, as `count` float32 of this machine's byte order.
    """
    try:
        path = Path(request["path"])
        file = _archive(path, request["beside"]) if request["beside"] else path.read_bytes()
        return _unpack(file, request["format"], request["names"])
    except MemoryError:
        return {"error": NO_MEMORY}, b""


def _archive(path: Path, names: list[str]) -> bytes:
    """What lies in a folder as one archive, which is what GaussForge takes."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.write(path, names[0])
        for name in names[1:]:
            file.write(path.parent / name, name)
    return made.getvalue()


def _unpack(file: bytes, kind: str, names: list[str]) -> tuple[bounded.Values, bytes]:
    import gaussforge

    with _silence():
        made = gaussforge.GaussForge().convert(file, kind, "ply")
    if error := made.get("error"):
        scarce = any(word in error for word in ("bad_alloc", "MemoryError"))
        return {"error": NO_MEMORY if scarce else error}, b""
    ply: bytes = made.get("data", b"")
    if not ply.startswith(b"ply\n"):
        return {"error": "no data"}, b""
    body = ply.index(_END) + len(_END)
    lines = ply[:body].decode().splitlines()
    properties = [line.split()[-1] for line in lines if line.startswith("property float ")]
    rows = memoryview(ply)[body:].cast("f")
    columns = [rows[properties.index(name) :: len(properties)].tobytes() for name in names]
    return {"count": len(columns[0]) // 4}, b"".join(columns)


@contextmanager
def _silence() -> Iterator[None]:
    """Send standard output away, that of compiled code too."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)


if __name__ == "__main__":
    bounded.serve(unpack)
