"""The documents: how their generated parts are made, and that what they name exists."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.validate import ParamValidator

from docs.generate import benchmarks, source
from docs.generate.__main__ import ROOT, parts, update
from docs.generate.machine import Machine
from docs.generate.parts import DocumentError, Part, fill, table
from docs.generate.template import Template
from requirements import workspace

pytestmark = pytest.mark.disable_socket

DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCUMENTS, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
ALL_PAGES = [
    *(page for page in sorted(ROOT.glob("*.md"))),
    *(
        page
        for folder in (
            "bench",
            "client",
            "cloud",
            "container",
            "docs",
            "examples",
            "functions",
            "layers",
            "local",
            "tests",
            "training",
            "webapp",
        )
        for page in sorted((ROOT / folder).rglob("*.md"))
        if "node_modules" not in page.parts
    ),
]
"""Everything that people read here."""
EARLIER = {
    "docs/adr/0033-a-workspace-of-packages.md": {
        "container/jobs.py",
        "engine.py",
        "inference.py",
        "service.py",
        "webapp/publish.py",
    },
}
"""Files by names that they had, on the pages that tell of a renaming."""

MADE = {"config.json", "pipeline.yaml", "prompts.json", "result.json", "webapp/dist"}
"""Files that a build, a stack or others make."""

OWN_COMMANDS = {("s3", "cp"), ("s3", "rm"), ("logs", "tail"), ("sagemaker", "wait")}
"""Of the AWS CLI itself; they describe no operation of a service."""


def prose(document: Path) -> str:
    """A document without its generated parts."""
    return re.sub(r"<!-- generated:.*?<!-- end -->", "", document.read_text(), flags=re.DOTALL)


@cache
def template_parts() -> dict[str, Part]:
    """Every part that a document can ask for; reading the template takes long."""
    return parts(ROOT)


def shell_blocks(document: Path) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", prose(document), re.DOTALL)


def aws_commands(script: str) -> Iterator[list[str]]:
    """Every call of the AWS CLI in a script, as its words."""
    joined = re.sub(r"\\\n", " ", script)
    bare = re.sub(r"(?m)(^|\s)# .*$|\s+# .*$", "", joined)
    lexer = shlex.shlex(bare, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    words: list[str] | None = None
    for token in [*lexer, "\n"]:
        if set(token) <= set("();<>|&\n"):
            if words:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token == "aws":
            words = []


def as_if_expanded(word: str) -> str:
    """Something of the kind that the shell would put in the place of its variables."""
    word = re.sub(r"^\$\(\(.*\)\)$|^\$\(date .*\)$", "1", word)
    return re.sub(r"\$\([^)]*\)|\$\{[^}]*\}|\$\w+", "something-longer-than-20", word)


# Parts


def test_a_part_is_replaced_and_the_rest_is_kept() -> None:
    text = "before\n<!-- generated: sum 1 2 -->\nold\n<!-- end -->\nafter\n"
    known = {"sum": lambda *numbers: str(sum(map(int, numbers)))}
    filled = fill(text, known, "x.md")
    assert filled == "before\n<!-- generated: sum 1 2 -->\n\n3\n\n<!-- end -->\nafter\n"
    assert fill(filled, known, "x.md") == filled


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<!-- generated: unheard-of -->\n<!-- end -->\n", "unheard-of"),
        ("<!-- generated: same -->\nno end\n", "lacks its"),
        ("<!-- generated: ender -->\n<!-- end -->\n", "would end it"),
    ],
)
def test_a_part_that_cannot_be_filled_is_named(text: str, complaint: str) -> None:
    known = {"same": lambda: "", "ender": lambda: "<!-- end -->"}
    with pytest.raises(DocumentError, match=complaint):
        fill(text, known, "x.md")


def test_a_check_names_what_is_stale_and_writes_nothing(tmp_path: Path) -> None:
    text = "<!-- generated: new -->\nold\n<!-- end -->\n"
    (tmp_path / "a.md").write_text(text)
    (tmp_path / "b.md").write_text("nothing generated\n")
    known = {"new": lambda: "new"}
    assert update(tmp_path, known, check=True) == ["a.md"]
    assert (tmp_path / "a.md").read_text() == text
    assert update(tmp_path, known, check=False) == ["a.md"]
    assert update(tmp_path, known, check=True) == []


def test_a_cell_is_one_line_without_bars() -> None:
    assert table(["a"], [["x | y\n z"]]).endswith("| x \\| y z |")


def test_source_is_fenced_by_more_backticks_than_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""```"""\n')
    assert source.blocks(tmp_path, "*.py") == '#### `a.py`\n\n````python\n"""```"""\n````'
    with pytest.raises(DocumentError, match="no such file"):
        source.blocks(tmp_path, "b.py")


def test_results_are_quoted_by_table_and_row(tmp_path: Path) -> None:
    page = "| a | b |\n|---|---|\n| x y | 1 |\n| z | 2 |\n\nText.\n\n| c |\n|---|\n| 3 |\n"
    (tmp_path / "r.md").write_text(page)
    assert benchmarks.rows(tmp_path, "r.md", "1", "x y") == "| a | b |\n|---|---|\n| x y | 1 |"
    assert benchmarks.rows(tmp_path, "r.md", "2").endswith("| 3 |")
    assert benchmarks.rows(tmp_path, "r.md", "-1").endswith("| 3 |")
    (tmp_path / "joined.md").write_text("| a |\n|---|\n| 1 |\n| b |\n|---|\n| 2 |\n")
    assert benchmarks.rows(tmp_path, "joined.md", "1") == "| a |\n|---|\n| 1 |"
    assert benchmarks.rows(tmp_path, "joined.md", "2") == "| b |\n|---|\n| 2 |"
    (tmp_path / "headed.md").write_text(
        "| a |\n|---|\n| 1 |\n\n## Second one\n\n| b |\n|---|\n| 2 |\n"
    )
    assert benchmarks.rows(tmp_path, "headed.md", "Second one") == "| b |\n|---|\n| 2 |"
    with pytest.raises(DocumentError, match="no heading 'Second'"):
        benchmarks.rows(tmp_path, "headed.md", "Second")
    with pytest.raises(DocumentError, match="no number 3"):
        benchmarks.rows(tmp_path, "r.md", "3")
    with pytest.raises(DocumentError, match="no row 'w'"):
        benchmarks.rows(tmp_path, "r.md", "1", "w")


def test_a_chart_has_a_line_for_each_row(tmp_path: Path) -> None:
    (tmp_path / "r.md").write_text(
        "| load | 1 | 5 |\n|---|---|---|\n| a | 3 | 2 |\n| b | 1 | 0 |\n"
    )
    both = benchmarks.chart(tmp_path, "r.md", "1", "USD")
    assert 'x-axis "load" ["1", "5"]' in both
    assert "line [3, 2]\n    line [1, 0]\n" in both
    assert both.endswith("From the top at the left: a, b.")
    named = benchmarks.chart(tmp_path, "r.md", "1", "USD over hours")
    assert 'x-axis "hours"' in named
    assert 'y-axis "USD"\n' in named
    one = benchmarks.chart(tmp_path, "r.md", "1", "USD", "b")
    assert "[3, 2]" not in one
    assert one.endswith("\n\nb.")
    (tmp_path / "simulation.md").write_text((tmp_path / "r.md").read_text())
    assert benchmarks.chart(tmp_path, "simulation.md", "1", "USD").endswith("Simulated.")


def test_bars_are_a_column_of_the_rows_that_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "r.md").write_text(
        "| cloud | method | s | faces |\n|---|---|---|---|\n| mug, 300 k | fast | 2.5 s | 1,000 |\n"
        "| mug, 100 k | fast | 1 s | 900 |\n| mug, 100 k | slow, with all there is | 9 s | a |\n"
    )
    growth = benchmarks.bars(
        tmp_path, "r.md", "1", "cloud", "s", "method=fast", "cloud=mug, 100 k", "cloud=mug, 300 k"
    )
    assert 'x-axis ["mug, 100 k", "mug, 300 k"]' in growth
    assert 'y-axis "s, s" 0 --> 2.5' in growth
    assert growth.endswith("    bar [1, 2.5]\n```")
    long = benchmarks.bars(tmp_path, "r.md", "1", "method+cloud", "s", "cloud=mug, 100 k")
    assert 'x-axis ["1", "2"]' in long
    assert long.endswith("fast, mug, 100 k; slow, with all there is, mug, 100 k.")
    assert "bar [1000, 900]" in benchmarks.bars(
        tmp_path, "r.md", "1", "cloud", "faces", "method=fast"
    )
    for column, condition, complaint in (
        ("faces", "cloud=mug, 100 k", "no numbers"),
        ("width", "method=fast", "no column 'width'"),
        ("s", "methods=fast", "no column 'methods'"),
        ("s", "method=faster", "no row of method 'faster'"),
    ):
        with pytest.raises(DocumentError, match=complaint):
            benchmarks.bars(tmp_path, "r.md", "1", "cloud", column, condition)


# What parts are made from


def test_each_resource_has_a_purpose_and_a_cost_driver(tmp_path: Path) -> None:
    data = tmp_path / "resources.toml"
    data.write_text('[purpose]\nGone = "x"\n[cost]\n"AWS::S3::Bucket" = "GB"\n')
    with pytest.raises(DocumentError) as complaint:
        Template.read(ROOT, data)
    silent, free, gone = str(complaint.value).splitlines()
    assert "Bucket" in silent
    assert "ApiErrorsAlarm" not in silent, "an alarm describes itself"
    assert "Bucket," not in free
    assert "JobsTable" in free
    assert gone.endswith("Gone.")


def test_each_resource_stands_under_its_banner() -> None:
    resources = template_parts()["resources"]()
    storage = resources.split("### Identity")[0]
    assert "`JobsTable`" in storage
    assert "`UserPool`" not in storage


def test_what_sam_adds_has_no_digest_in_its_name() -> None:
    expanded = template_parts()["expanded"]()
    assert "`NotifyFunctionResultWritten`" in expanded
    assert not re.search(r"`Layer[0-9a-f]{10}`", expanded)


def test_policies_of_a_condition_say_when() -> None:
    rows = template_parts()["policies"]().splitlines()
    invoking = [row for row in rows if "sagemaker:InvokeEndpointAsync" in row]
    assert invoking
    assert all("once ContainerImage is set" in row for row in invoking)


def test_a_diagram_holds_every_state_and_every_way() -> None:
    states: dict[str, Any] = {
        "A": {"Type": "Pass", "Next": "PromptsGiven"},
        "PromptsGiven": {"Type": "Choice", "Choices": [{"Next": "C"}], "Default": "D"},
        "C": {"Type": "Succeed"},
        "D": {"Type": "Fail"},
    }
    drawn = Machine({"StartAt": "A", "States": states}).diagram()
    for line in (
        "A --> PromptsGiven",
        "PromptsGiven -->|shows objects without masks| C",
        "PromptsGiven -->|has masks| D",
        "C([C])",
        "D([D])",
    ):
        assert line in drawn


def test_a_choice_whose_ways_have_no_words_is_named() -> None:
    choice = {"Type": "Choice", "Choices": [{"Next": "A"}], "Default": "A"}
    states: dict[str, Any] = {"Unheard": choice, "A": {"Type": "Succeed"}}
    with pytest.raises(DocumentError, match="what Unheard goes by"):
        Machine({"StartAt": "Unheard", "States": states}).diagram()


# What documents name


LINK = r"\]\((?:<((?!https?:)[^>]+)>|((?!https?:)[^)\s]+))\)"


def is_there(page: Path, target: str) -> bool:
    """Whether a link of a page leads to a file and, where it names one, a heading."""
    name, _, anchor = unquote(target).partition("#")
    path = (page.parent / name) if name else page
    if not path.exists():
        return False
    headings = re.findall(r"(?m)^#+ (.+)$", path.read_text()) if anchor else []
    anchors = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
    return not anchor or anchor in anchors


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    # The source that documents print holds none of theirs.
    text = re.sub(r"<!-- generated: source.*?<!-- end -->", "", page.read_text(), flags=re.DOTALL)
    targets = [bracketed or plain for bracketed, plain in re.findall(LINK, text)]
    assert [target for target in targets if not is_there(page, target)] == []


def test_a_link_to_what_is_not_there_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One → two?\n")
    assert is_there(page, "#one--two")
    assert is_there(page, "a.md")
    assert not is_there(page, "a.md#two")
    assert not is_there(page, "b%20c.md")


SOURCE_NAME = r"[\w.-]+\.(?:css|html|in|ini|json|mjs|md|py|sh|toml|ts|tsx|txt|ya?ml)"
HOMES = [ROOT, ROOT / "webapp" / "src", *(member / "src" for member in workspace.members(ROOT))]
"""Where a path that is named may begin, beside the folder of the page that names it."""


@cache
def tracked() -> tuple[frozenset[str], frozenset[str]]:
    """The repository's entries at its root, and the names of all its files."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*command, "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    paths = [Path(each) for each in listed if each]
    return frozenset(path.parts[0] for path in paths), frozenset(path.name for path in paths)


def lost_paths(text: str, folder: Path = ROOT) -> list[str]:
    """Which files and folders of the repository a page names in backticks that are not there.

    What begins with one of our folders, ours or the page's, is one of ours, and so is a lone name
    with the ending of a source. Capitals, braces and an ellipsis stand for many.
    """
    entries, names = tracked()
    words = [word for span in re.findall(r"`([^`\n]+)`", text) for word in span.split()]
    lost = []
    for word in words:
        path = re.sub(r"(::.*|:\d+)$", "", word).rstrip("/")
        first, *rest = path.split("/")
        if path in MADE or not re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*", path):
            continue
        if rest and not re.search(r"\b[A-Z]{4,}\b(?!\.md)", path):
            ours = first in entries or any((home / first).is_dir() for home in HOMES[1:])
            ours = ours or (folder / first).is_dir()
            if ours and not any(any(home.glob(path)) for home in (folder, *HOMES)):
                lost.append(path)
        elif not rest and re.fullmatch(SOURCE_NAME, path) and path not in names:
            lost.append(path)
    return lost


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_are_there(page: Path) -> None:
    lost = set(lost_paths(re.sub(r"(?s)```.*?```", "", prose(page)), page.parent))
    assert lost == EARLIER.get(str(page.relative_to(ROOT)), set())


def test_files_that_comments_name_are_there() -> None:
    folders = "|".join(re.escape(each) for each in tracked()[0] if (ROOT / each).is_dir())
    named = re.compile(rf"(?<![\w./-])((?:{folders})/[\w./-]+\.(?:md|py|tsx?|ya?ml))\b")
    lost = [
        (str(source.relative_to(ROOT)), path)
        for home in (*HOMES[1:], ROOT / "statemachines", ROOT / "docs" / "generate", ROOT / "bench")
        for source in sorted(home.rglob("*"))
        if source.suffix in {".py", ".ts", ".tsx", ".yaml"}
        for path in named.findall(source.read_text())
        if not (ROOT / path).exists()
    ]
    assert lost == []


def test_a_file_that_was_moved_is_found() -> None:
    assert lost_paths(
        "`functions/api/service.py`, `container/lite/`, `mesh/handler.py` `x.py`"
    ) == [
        "functions/api/service.py",
        "container/lite",
        "x.py",
    ]
    assert (
        lost_paths("`gen3d/errors.py` `layers/gen3d/*/` `findings/NAME.sh` `api/client.ts`") == []
    )
    assert lost_paths("`gen3d/splat.py`") == ["gen3d/splat.py"]


def test_each_document_leads_to_the_map() -> None:
    linking = {page.name for page in PAGES if "map.md" in prose(page)}
    assert {page.name for page in PAGES if page.name.startswith("Gen3D - ")} <= linking
    assert {"README.md", "CONTRIBUTING.md"} <= linking


def test_each_demand_leads_to_where_it_is_met() -> None:
    page = ROOT / "docs" / "demands.md"
    rows = re.findall(r"(?m)^\| (?!asked \|)(.+) \| (.+) \|$", page.read_text())
    assert len(rows) > 50
    for demand, met in rows:
        assert re.search(LINK, met), demand
    reached = {
        unquote(target).partition("#")[0] for target, _ in re.findall(LINK, page.read_text())
    }
    for document in (
        "Architecture",
        "Implementation Plan",
        "Web App",
        "AWS Resources",
        "User Guide",
    ):
        assert f"Gen3D - {document} - 1.2.md" in reached


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_source_stands_behind_all_that_is_to_be_read(document: Path) -> None:
    """After the first block of source come other blocks, their headings, and a line on each."""
    _, found, appendix = document.read_text().partition("<!-- generated: source")
    between = re.sub(r"(?ms)^.*?<!-- end -->", "", appendix, count=1) if found else ""
    rest = re.sub(r"(?s)<!-- generated: source.*?<!-- end -->|(?m:^### [^\n]*$)", "", between)
    assert len(rest.split()) < 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_knows_the_targets_and_their_variables(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    rules = dict(re.findall(r"(?m)^([a-z-]+):(.*\n(?:\t.*\n)*)", makefile))
    named = re.findall(r"(?:`|^|=\S* )make ([a-z-]+)((?: [A-Z_]+=\S+)*)", prose(page), re.MULTILINE)
    for target, variables in named:
        assert target in rules
        for variable in re.findall(r" ([A-Z_]+)=", variables):
            by_make, by_shell = f"$({variable})", f"$${variable}"
            used = by_make in rules[target] or by_shell in rules[target]
            assert used, f"make {target} {variable}="


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_aws_cli_knows_each_command(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from awscli.clidriver import (  # type: ignore[import-untyped]  # takes long
        CLIOperationCaller,
        create_clidriver,
    )

    driver = create_clidriver()
    called: list[str] = []

    def instead_of_calling(
        _self: object, service: str, operation: str, parameters: dict[str, Any], *_: object
    ) -> int:
        shape = driver.session.get_service_model(service).operation_model(operation).input_shape
        complaints = ParamValidator().validate(parameters, shape).generate_report()
        assert not complaints, f"aws {service} {operation}: {complaints}"
        called.append(operation)
        return 0

    monkeypatch.setattr(CLIOperationCaller, "invoke", instead_of_calling)
    expected = 0
    for words in chain.from_iterable(map(aws_commands, shell_blocks(document))):
        if words[0] == "configure" or tuple(words[:2]) in OWN_COMMANDS:
            continue
        expected += 1
        status = driver.main([as_if_expanded(word) for word in words])
        assert status == 0, f"aws {' '.join(words)}: {capsys.readouterr().err[-400:]}"
    assert len(called) == expected


def test_commands_of_a_script_are_found() -> None:
    script = """
    aws sts get-caller-identity   # who am I
    NAME=$(aws a b --c "$(output D)" \\
      --query "x[?y=='z']" --output text)
    for one in 1 2; do aws e f; done
    """
    assert list(aws_commands(script)) == [
        ["sts", "get-caller-identity"],
        ["a", "b", "--c", "$(output D)", "--query", "x[?y=='z']", "--output", "text"],
        ["e", "f"],
    ]


def test_each_step_with_the_web_app_names_its_test() -> None:
    plan = (ROOT / "docs" / "Gen3D - Implementation Plan - 1.2.md").read_text()
    section = plan.split("\n## Testing end to end with the web app\n")[1].split("\n## ")[0]
    steps = [row.strip("|").split(" | ") for row in re.findall(r"(?m)^\| \d+ \|.*$", section)]
    assert [int(number) for number, *_ in steps] == list(range(1, len(steps) + 1))
    written = "".join(page.read_text() for page in (ROOT / "tests" / "browser").glob("test_*.py"))
    there = set(re.findall(r"(?m)^def (test_\w+)", written))
    named = [set(re.findall(r"`(test_\w+)`", tests)) for *_, tests in steps]
    assert all(tests <= there for tests in named)
    assert [place for place, tests in enumerate(named, start=1) if not tests] == [10]
