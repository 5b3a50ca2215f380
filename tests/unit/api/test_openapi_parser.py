"""docs/openapi.json through swagger-parser, by which most tools read a description."""

import copy
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

PUBLISHED = ROOT / "docs" / "openapi.json"


def complaints(document: Path) -> str:
    """What the parser says of a document, or nothing."""
    java = shutil.which("java")
    jar = next(
        (ROOT / ".venvs" / "openapi").glob("lib/*/site-packages/*/openapi-generator.jar"), None
    )
    if java is None:
        pytest.skip("There is no Java, which swagger-parser needs.")
    if jar is None:
        pytest.skip("swagger-parser is not installed: make openapi-parser")
    command = [java, "-jar", str(jar), "validate", "--input-spec", str(document)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    said = answer.stdout + answer.stderr
    assert ("No validation issues detected." in said) == (answer.returncode == 0), said
    return said if answer.returncode else ""


def test_the_published_description_leaves_the_parser_nothing_to_say() -> None:
    assert not complaints(PUBLISHED)


def test_the_parser_would_say_so(tmp_path: Path) -> None:
    broken: dict[str, Any] = copy.deepcopy(json.loads(PUBLISHED.read_text()))
    for scheme in broken["components"]["securitySchemes"].values():
        scheme.clear()
        scheme["type"] = "oauth2"  # what SAM makes of an authorizer: no flows
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(broken))
    assert "flows" in complaints(document)
