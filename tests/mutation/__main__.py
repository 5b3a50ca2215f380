"""``python -m tests.mutation gen3d_aws.runs …``: changes modules; does a test find each change?

mutmut writes each change beside the function that it is of. The tests are then collected once and
run once, to learn which of them reach a function and how long they take; after that a process is
forked for each change, and runs those until one fails (``tests.mutation.plugin``). Constants,
decorated functions and what stands outside functions are not changed; texts are changed in their
letters and not in the case of these as well, and sentences only as a whole, to nothing.

What is changed lies in ``build/mutation``, with what was found: ``--report`` shows it again.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
STAGE = ROOT / "build" / "mutation"

FUNCTIONS = ("api", "callback", "mesh", "notify", "reconcile", "submit")

TESTS = ("layers/gen3d/tests", "tests/unit")

_COPIED = (
    "conftest.py",
    "events",
    "examples",
    "functions",
    "layers",
    "pyproject.toml",
    "statemachines",
    "template.yaml",
    "tests",
)
"""What the tests read, beside the code."""

_LEFT_OUT = (
    # These read the repository itself,
    "test_links.py",
    "test_openapi_parser.py",
    # and these make so many requests that each change would take minutes.
    "test_openapi.py",
    "test_queue_races.py",
)


_SENTENCE = re.compile(r'"XX[A-Z]?[a-z]* .*XX"')


def modules() -> dict[str, Path]:
    """The modules that can be changed, by the names by which they are imported."""
    sources = [
        ROOT / "layers/gen3d/src",
        *(ROOT / "functions" / name / "src" for name in FUNCTIONS),
    ]
    found = sorted(path for source in sources for path in source.glob("gen3d*/[a-z]*.py"))
    return {f"{path.parent.name}.{path.stem}": path for path in found}


def stage(folder: Path, changed: list[str], every: int) -> None:
    """Lay out the code with every change in it, what the tests read, and a list of the changes."""
    for copied in _COPIED:
        for source in [ROOT / copied, *(ROOT / copied).rglob("*")]:
            if source.is_file() and not {"__pycache__", "node_modules"} & set(source.parts):
                _write(folder / source.relative_to(ROOT), source.read_bytes())
    (folder / "src").mkdir(exist_ok=True)
    os.chdir(folder)  # where mutmut looks for its configuration
    changes: dict[str, str] = {}
    sources = modules()
    for name in [*changed, *(sources.keys() - set(changed))]:
        source = sources[name]
        target = folder / "src" / f"{name.replace('.', '/')}.py"
        for beside in source.parent.glob("__*__.py"):  # the package, and its command
            _write(target.parent / beside.name, beside.read_bytes())
        code = source.read_text()
        if name in changed:
            code, all_changes = _changed(folder / f"{name}.json", code)
            changes |= {f"{name}.{c}": all_changes[c] for c in list(all_changes)[::every]}
        if _write(target, code.encode()):
            (folder / "learned.json").unlink(missing_ok=True)
    (folder / "changes.json").write_text(json.dumps(changes, indent=1))


def _changed(kept: Path, code: str) -> tuple[str, dict[str, str]]:
    """Code with all its changes beside it, and what each does; kept, as it takes seconds."""
    if kept.exists():
        before, after, changes = json.loads(kept.read_text())
        if before == code:
            return after, changes
    from mutmut.mutation.file_mutation import mutate_file_contents

    mutated = mutate_file_contents(kept.stem, code)
    lines = mutated.code.splitlines()
    functions = {
        function: lines[span.start - 1 : span.end]
        for function, span in mutated.line_span_by_function_name.items()
    }
    differences = {
        change: _difference(functions[f"{_function(change)}__mutmut_orig"], functions[change])
        for change in mutated.mutant_names
    }
    changes = {c: "\n".join(rows) for c, rows in differences.items() if not _is_idle(rows)}
    kept.write_text(json.dumps((code, mutated.code, changes)))
    return mutated.code, changes


def _write(target: Path, data: bytes) -> bool:
    if target.exists() and target.read_bytes() == data:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return True


def _function(change: str) -> str:
    return change.partition("__mutmut_")[0]


def _difference(original: list[str], changed: list[str]) -> list[str]:
    marker = "  # type: ignore # mutmut generated"
    rows = difflib.unified_diff(
        [line.removesuffix(marker) for line in original],
        [line.removesuffix(marker) for line in changed],
        lineterm="",
        n=0,
    )
    kept = (row for row in rows if not row.startswith(("---", "+++", "@@")))
    return [row for row in kept if "__mutmut_" not in row]


def _is_idle(rows: list[str]) -> bool:
    """Whether a change is of letters' case alone, or puts letters around a sentence."""
    before = [row[1:].lower() for row in rows if row.startswith("-")]
    after = [row[1:].lower() for row in rows if row.startswith("+")]
    return before == after or any(_SENTENCE.search(row) for row in rows)


def tests() -> list[str]:
    """The files of tests that are run, from the stage."""
    found = [path for folder in TESTS for path in (ROOT / folder).rglob("test_*.py")]
    return sorted(str(p.relative_to(ROOT)) for p in found if p.name not in _LEFT_OUT)


def report(folder: Path, changed: list[str]) -> None:
    """Print how many changes were found, and those that were not."""
    changes: dict[str, str] = json.loads((folder / "changes.json").read_text())
    path = folder / "found.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    of = {name: name.rpartition(".")[0] for name in changes}
    outcomes = ("found", "survived", "no test", "not run")
    print("\t".join(["module", "changes", *outcomes]))
    for module in changed:
        counts = Counter(found.get(name, "not run") for name in changes if of[name] == module)
        row = [counts[outcome] for outcome in outcomes]
        row[0] = counts.total() - sum(row[1:])  # by the name of a test, or by time
        print("\t".join([module, str(counts.total()), *map(str, row)]))
    for name, difference in changes.items():
        if of[name] in changed and found.get(name) in ("survived", "no test"):
            print(f"\n{found[name]}: {name}\n{difference}")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=sorted(modules()), help="all, without any")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--every", type=int, default=1, help="a sample: each so-manieth change")
    parser.add_argument(
        "--seconds", type=float, default=3, help="of tests for a change, those first that find most"
    )
    parser.add_argument("--tests", nargs="*", help="the only files of tests to run")
    parser.add_argument("--again", action="store_true", help="only what was not found last time")
    parser.add_argument("--rest", action="store_true", help="only what was not tried yet")
    parser.add_argument("--folder", type=Path, default=STAGE, help="where the changed code lies")
    parser.add_argument("--report", action="store_true", help="only show what was found so far")
    options = parser.parse_args()
    folder = options.folder.absolute()
    unknown = set(options.modules) - set(modules())
    if unknown:
        parser.error(f"There is no module {min(unknown)}.")
    if not options.report:
        stage(folder, options.modules, options.every)
        only = ["--mutation-again"] if options.again else []
        only += ["--mutation-rest"] if options.rest else []
        command = [sys.executable, "-m", "pytest", "-p", "tests.mutation.plugin", "-s"]
        command += ["-p", "no:cacheprovider", f"--mutation-workers={options.workers}", *only]
        command.append(f"--mutation-seconds={options.seconds}")
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(["src", ".", *sys.path[1:]])}
        command += options.tests or tests()
        tried = subprocess.run(
            command, cwd=folder, env=environment, check=False, stdout=subprocess.DEVNULL
        )
        if tried.returncode:
            return tried.returncode
    report(folder, options.modules)
    return 0


if __name__ == "__main__":
    sys.exit(main())
