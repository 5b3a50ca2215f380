"""``python -m docs.generate`` fills the documents; with ``--check`` it says which are stale."""

import argparse
import sys
from functools import partial
from pathlib import Path

from docs.generate import benchmarks, domain, source
from docs.generate.deployer import policy
from docs.generate.machine import Machine
from docs.generate.parts import DocumentError, Part, fill
from docs.generate.policies import policies
from docs.generate.regions import regions
from docs.generate.template import Template

ROOT = Path(__file__).resolve().parents[2]


def parts(root: Path) -> dict[str, Part]:
    """Every part that a document can ask for, by its name."""
    template = Template.read(root)
    machine = Machine.read(root / "statemachines" / "gen3d.asl.yaml")
    return {
        "source": partial(source.blocks, root),
        "benchmark": partial(benchmarks.rows, root),
        "chart": partial(benchmarks.chart, root),
        "bars": partial(benchmarks.bars, root),
        "resources": template.resources,
        "expanded": template.expanded,
        "parameters": template.parameters,
        "outputs": template.outputs,
        "routes": domain.routes,
        "requests": domain.requests,
        "policies": partial(policies, template),
        "regions": lambda: regions(template.types()),
        "deployer": lambda: policy(template.types()),
        "states": machine.table,
        "state-diagram": machine.diagram,
        "errors": domain.errors,
        "files": domain.files,
        "formats": domain.formats,
    }


def update(folder: Path, known: dict[str, Part], check: bool) -> list[str]:
    """Fill the documents of a folder, or only look where `check` is true.

    Returns
    -------
    list of str
        Names of those that were stale.
    """
    stale = []
    for path in sorted(folder.glob("*.md")):
        text = path.read_text()
        filled = fill(text, known, path.name)
        if filled != text:
            stale.append(path.name)
            if not check:
                path.write_text(filled)
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit code 1 where a document is stale or cannot be filled."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    try:
        stale = update(ROOT / "docs", parts(ROOT), options.check)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 1
    if stale and options.check:
        print(f"Stale: {', '.join(stale)}. Run `make docs`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
