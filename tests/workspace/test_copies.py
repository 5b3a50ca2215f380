"""What the page and the API's description repeat of the domain is what it says now."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import Field

from docs.generate import copies
from docs.generate.parts import DocumentError
from gen3d.errors import ERRORS
from gen3d.formats import MESH_FORMATS, MeshFormat
from gen3d.options import EngineOptions

ROOT = Path(__file__).parents[2]


def test_what_repeats_the_domain_is_not_stale() -> None:
    assert copies.update(ROOT, check=True) == [], "run `make copies`"


def test_a_format_more_reaches_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    use = "for whoever reads what nobody else does, and has a line that is long enough to be broken"
    monkeypatch.setitem(MESH_FORMATS, "xyz", MeshFormat("xyz", "model/xyz", "XYZ", use))
    written = copies.page()
    assert f'    ending: "xyz",\n    label: "XYZ",\n    use: "{use}",\n' in written
    assert all(len(line) <= 100 for line in written.splitlines())


def test_what_people_read_stands_as_it_is() -> None:
    assert not re.search(r'["\\\n]', "".join(f.label + f.use for f in MESH_FORMATS.values()))


def test_the_description_is_filled_where_it_asks_for_values() -> None:
    text = "a:\n  enum: # errors\n    [Old,\n     Older]\n  b: 1\nenum: [kept]\n"
    filled = copies.described(text)
    assert yaml.safe_load(filled) == {"a": {"enum": sorted(ERRORS), "b": 1}, "enum": ["kept"]}
    assert copies.described(filled) == filled


def test_an_option_more_reaches_page_and_description(monkeypatch: pytest.MonkeyPatch) -> None:
    class Options(EngineOptions):
        steps: int = Field(default=9, title="Steps", le=50)

    monkeypatch.setattr(copies, "EngineOptions", Options)
    monkeypatch.setitem(copies.SCHEMAS, "Options", Options)
    assert '    steps: { title: "Steps", default: 9 },\n' in copies.page()
    filled = copies.described("a:\n  Options: # schema\n    type: old\n  b: 1\n")
    said = yaml.safe_load(filled)["a"]
    assert (said["Options"]["properties"]["steps"]["maximum"], said["b"]) == (50, 1)
    assert copies.described(filled) == filled


def test_a_schema_that_nobody_has_is_named() -> None:
    with pytest.raises(DocumentError, match="'Colours'"):
        copies.described("Colours: # schema\n")


def test_values_that_nobody_has_are_named() -> None:
    with pytest.raises(DocumentError, match="'colours'"):
        copies.described("enum: # colours\n")
