"""Keeps the stack's process small: glibc keeps what was freed for threads and times to come."""

import ctypes
import gc

_ARENAS, _MAPPED_FROM = -8, -3
"""`M_ARENA_MAX` and `M_MMAP_THRESHOLD` of `mallopt(3)`."""

_LARGE = 128 * 1024
"""Bytes from which a block goes back to the system when it is freed: files and answers do."""

_system = ctypes.CDLL(None)


def bound() -> None:
    """Have few pools, and none that grows with the largest file; before threads begin."""
    if hasattr(_system, "mallopt"):
        _system.mallopt(_ARENAS, 2)
        _system.mallopt(_MAPPED_FROM, _LARGE)


def settle() -> None:
    """After a start: what is there stays, so the collector need not look at it ever again."""
    gc.collect()
    gc.freeze()
    give_back()


def give_back() -> None:
    """Give the system what was freed."""
    if hasattr(_system, "malloc_trim"):
        _system.malloc_trim(0)
