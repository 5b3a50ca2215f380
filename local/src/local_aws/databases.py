"""Files of SQLite that are true at every moment.

SQLite writes a change or does not; a process that is killed leaves no half. Nothing is forced to
the disk, as what the kernel has taken outlives the process.
"""

import sqlite3
from pathlib import Path


def open_database(path: Path, *statements: str) -> sqlite3.Connection:
    """Open a file, and make what it should consist of where that is missing.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made too.
    *statements : str
        That make tables and indices.

    Returns
    -------
    sqlite3.Connection
        Commits each statement by itself, and may be used by one thread at a time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for statement in ("pragma journal_mode = wal", "pragma synchronous = off", *statements):
        database.execute(statement)
    return database
