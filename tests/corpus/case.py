"""What all parts of the corpus share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TAKEN = "taken"
"""Expected of what is odd but can be used."""


@dataclass(frozen=True)
class Case:
    """One input, and what may come of it.

    Attributes
    ----------
    name : str
        Unique in its part of the corpus.
    data : bytes
        The file or the body.
    expected : frozenset of str
        Names of the errors that may answer it, or `TAKEN`; more than one where libraries of other
        versions may well see it otherwise.
    kind : str
        The content type under which a photo is announced.
    """

    name: str
    data: bytes
    expected: frozenset[str]
    kind: str = ""


def cuts(name: str, data: bytes, expected: frozenset[str], kind: str = "") -> Iterator[Case]:
    """A file cut off at many places: in its signature, its headers, its pixels and its end."""
    places = [*(1, 2, 3, 7, 8, 12, 16, 24, 33, 48), *(len(data) * n // 8 for n in range(1, 7))]
    for place in sorted({place for place in places if place <= len(data) * 6 // 8}):
        yield Case(f"{name} cut off at {place}", data[:place], expected, kind)
    for missing in (1, 2, 4, 13):  # what is missing here may be no more than the end's own mark
        yield Case(f"{name} without its last {missing}", data[:-missing], expected | {TAKEN}, kind)


def unique(cases: Iterable[Case]) -> list[Case]:
    """All cases, whose names have to differ."""
    found = list(cases)
    names = [case.name for case in found]
    assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}
    return found
