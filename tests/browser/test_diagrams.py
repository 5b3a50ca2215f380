"""The documents' diagrams, drawn by Mermaid itself."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.local.running import ROOT

LIBRARY = ROOT / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
DIAGRAMS = [
    pytest.param(diagram, id=f"{page.stem}-{number}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, diagram in enumerate(
        re.findall(r"```mermaid\n(.*?)```", page.read_text(), re.DOTALL), start=1
    )
]


@pytest.fixture(scope="module")
def easel(browser: Browser) -> Iterator[Page]:
    """A page with Mermaid."""
    if not LIBRARY.exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=ROOT, check=True)
    page = browser.new_page()
    page.set_content("<body></body>")
    page.add_script_tag(path=Path(LIBRARY))
    page.evaluate("mermaid.initialize({ startOnLoad: false })")
    yield page
    page.close()


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_a_diagram_can_be_drawn(easel: Page, diagram: str) -> None:
    draw = "async (text) => (await mermaid.render('drawn', text)).svg"
    assert easel.evaluate(draw, diagram).startswith("<svg")
