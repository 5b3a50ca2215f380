"""LICENSES.md lists what the locks ship, and no copyleft that nobody has looked at."""

import re

import pytest

from docs.generate import licences

COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|EUPL|CDDL|SSPL)|Lesser|Mozilla|Affero|General Public")


@pytest.fixture(scope="module")
def listed() -> dict[str, dict[licences.Package, str]]:
    return licences.listed()


@pytest.mark.parametrize("part", licences.LOCKS)
def test_the_page_lists_what_the_lock_ships(
    listed: dict[str, dict[licences.Package, str]], part: str
) -> None:
    locked = licences.locked(licences.ROOT / licences.LOCKS[part])
    assert set(listed[part]) == locked, "make licences"


def test_the_page_lists_what_the_web_app_is_made_of(
    listed: dict[str, dict[licences.Package, str]],
) -> None:
    assert listed["Page"] == licences.of_the_page(), "make licences"


def test_each_says_its_licence(listed: dict[str, dict[licences.Package, str]]) -> None:
    silent = {each.name for part in listed.values() for each, text in part.items() if not text}
    assert silent == set()


def test_copyleft_is_shipped_for_a_reason(
    listed: dict[str, dict[licences.Package, str]],
) -> None:
    found = {
        each.name
        for part in listed.values()
        for each, text in part.items()
        if COPYLEFT.search(text)
    }
    assert found == set(licences.BOUND)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"license_expression": "MIT", "license": "other"}, "MIT"),
        ({"license": "BSD"}, "BSD"),
        (
            {"license": "x" * 99, "classifier": ["License :: OSI Approved :: MIT License"]},
            "MIT License",
        ),
        ({"license": "GNU GENERAL PUBLIC LICENSE\nVersion 3"}, "GNU GENERAL PUBLIC LICENSE"),
        ({}, ""),
    ],
)
def test_a_licence_is_named_in_the_packages_own_words(
    metadata: licences.Metadata, named: str
) -> None:
    assert licences.licence({"name": "some", **metadata}) == named
