"""What the page and the API's description repeat of the domain is what it says now."""

import json
import re
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from docs.generate import copies
from docs.generate.parts import DocumentError
from gen3d.formats import MESH_FORMATS, MeshFormat
from gen3d.options import EngineOptions
from gen3d_api.answers import Maybe
from gen3d_api.examples import EXAMPLES
from gen3d_api.route import Answer, Gives, Route
from gen3d_api.routes import ROUTES

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


def test_an_option_more_reaches_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Options(EngineOptions):
        steps: int = Field(default=9, title="Steps", le=50)

    monkeypatch.setattr(copies, "EngineOptions", Options)
    assert '    steps: { title: "Steps", default: 9 },\n' in copies.page()


def a_route(gives: type[BaseModel]) -> Route:
    def weigh_thing(caller: object, thing_id: str, body: Weighing) -> Answer:
        """Weigh a thing."""
        raise NotImplementedError

    return Route("POST", "/things/{jobId}/weigh", weigh_thing, {200: Gives(gives, "Done.")}, ())


class Weighing(BaseModel):
    """How to weigh."""

    grams: bool
    """Instead of pounds."""


class Weight(BaseModel):
    """What a thing weighs."""

    weight: float | None
    unit: Maybe[Literal["g", "lb"]] = None
    parts: dict[str, list[float | str]]


def test_a_route_more_reaches_description_page_template_and_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "ROUTES", [*ROUTES, a_route(Weight)])
    example: dict[type[BaseModel], dict[str, BaseModel]] = {
        Weighing: {"grams": Weighing(grams=True)}
    }
    for module in ("gen3d_api.description", "docs.generate.sample_events"):
        monkeypatch.setattr(f"{module}.EXAMPLES", {**EXAMPLES, **example})
    written = copies.copies(ROOT)
    schemas = json.loads(written[copies.DESCRIPTION])["components"]["schemas"]
    assert schemas["Weighing"] == {
        "type": "object",
        "description": "How to weigh.",
        "properties": {"grams": {"type": "boolean", "description": "Instead of pounds."}},
        "required": ["grams"],
        "additionalProperties": False,
    }
    assert written[copies.TYPES].endswith(
        """\
/** How to weigh. */
export interface Weighing {
  /** Instead of pounds. */
  grams: boolean;
}

/** What a thing weighs. */
export interface Weight {
  weight: number | null;
  unit?: "g" | "lb";
  parts: Record<string, (number | string)[]>;
}
"""
    )
    route = written[copies.TEMPLATE].split("  WeighThingRoute:\n")[1].split("\n\n")[0]
    assert "RouteKey: POST /things/{jobId}/weigh" in route
    assert "AuthorizationType: CUSTOM" in route
    event = json.loads(written[copies.EVENTS / "weigh_thing.json"])
    assert (event["routeKey"], event["body"]) == ("POST /things/{jobId}/weigh", '{"grams": true}')


def test_one_name_of_two_shapes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "ROUTES", [a_route(Weighing)])
    with pytest.raises(AssertionError, match="Weighing means one thing asked and another answered"):
        copies.description()


def test_a_description_that_breaks_callers_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / copies.DESCRIPTION).write_text(copies.description())
    monkeypatch.setattr(copies, "ROUTES", ROUTES[1:])
    with pytest.raises(DocumentError, match="POST /jobs is gone"):
        copies.copies(tmp_path)
