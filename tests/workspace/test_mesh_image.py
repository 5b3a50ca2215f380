"""What the mesh function's image holds of packages, as its requirements install them."""

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SITE = ROOT / ".venvs" / "mesh" / "lib"

MOST = 800
"""MB of all of them: 753 of which 217 are usd-core's, 179 llvmlite's and 114 SciPy's."""

MOST_FOR_FORMATS = {"usd-core": 230, "dracopy": 22, "lib3mf": 8, "trimesh": 3}
"""MB of each that is there for a format that is read or written, imported when it is."""

NEVER = {"pymeshlab", "open3d", "gaussforge"}
"""What the command and the bench have, and no job: GPL and 280 MB, 312 MB, and what no engine
writes."""


@pytest.fixture(scope="module")
def megabytes() -> dict[str, float]:
    """Of each package that is installed, as its wheel lists its files."""
    (folder,) = SITE.glob("python3*/site-packages")
    return {
        canonicalize_name(each.metadata["Name"]): sum(file.size or 0 for file in each.files or [])
        / 1e6
        for each in distributions(path=[str(folder)])
    }


def test_the_image_is_no_larger_than_what_it_was_measured_to_be(
    megabytes: dict[str, float],
) -> None:
    assert 400 < sum(megabytes.values()) < MOST
    for name, most in MOST_FOR_FORMATS.items():
        assert 0 < megabytes[name] < most


def test_what_only_the_command_needs_is_not_in_it(megabytes: dict[str, float]) -> None:
    lock = (ROOT / "functions/mesh/requirements.txt").read_text()
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", lock, re.M)}
    assert locked == set(megabytes)
    assert not NEVER & locked
