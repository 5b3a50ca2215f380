"""The page's client, installed in an empty folder: its README's program makes a mesh in Node."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gen3d_client.client import Client
from tests.local.running import ROOT, RunningStack

PACKAGE = ROOT / "webapp" / "src" / "api"
TOOLS = ROOT / "webapp" / "node_modules" / ".bin"
EMAIL, PASSWORD = "you@example.com", "gen3d-on-this-machine-1"
PATIENCE = 400


def run(folder: Path, *words: str | Path, **variables: str) -> str:
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", **variables}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was empty, with the package and its README's program."""
    source, folder = tmp_path_factory.mktemp("source") / "api", tmp_path_factory.mktemp("program")
    shutil.copytree(PACKAGE, source)  # others may read the folder while it is packed
    packed = json.loads(run(source, "npm", "pack", "--json", "--pack-destination", folder))[0]
    names = {file["path"] for file in packed["files"]}
    assert {"README.md", "package.json", "dist/index.js", "dist/index.d.ts"} <= names
    assert not [name for name in names if name.endswith(".ts") and not name.endswith(".d.ts")]
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    run(folder, "npm", "install", "--offline", "--no-audit", "--no-fund", packed["filename"])
    (program,) = re.findall(r"```ts\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    (folder / "program.ts").write_text(program)
    (folder / "coffee.jpg").write_bytes((ROOT / "examples" / "coffee.jpg").read_bytes())
    return folder


def test_it_has_its_types_and_no_dependencies(installed: Path) -> None:
    """The program is compiled as its reader would, by the types that came with the package."""
    nodes = ROOT / "webapp" / "node_modules" / "@types"
    strict = ("--strict", "--module", "nodenext", "--target", "es2023", "--outDir", "built")
    run(installed, "tsc", "program.ts", *strict, "--types", "node", "--typeRoots", nodes)
    assert [each.name for each in (installed / "node_modules").iterdir() if each.is_dir()] == [
        "gen3d-client"
    ]


@pytest.mark.timeout(600)
def test_its_readmes_program_makes_a_mesh(installed: Path, whole_stack: RunningStack) -> None:
    test_it_has_its_types_and_no_dependencies(installed)
    with Client.sign_in(whole_stack.url, EMAIL, PASSWORD) as gen3d:
        key = gen3d.make_key("JavaScript")
        api = {"GEN3D_API": f"{whole_stack.url}/api", "GEN3D_KEY": key.key}
        said = run(installed, "node", "built/program.js", **api)
        assert (installed / "cup.glb").read_bytes()[:4] == b"glTF"
        assert "RECONSTRUCTING\n" in said
        job = gen3d.jobs(1)[0]
        assert f"{job.job_id} COMPLETED coffee\n" in said
        gen3d.delete(job.job_id)
        gen3d.withdraw_key(key.key_id)

    refused = subprocess.run(
        ["node", "built/program.js"], cwd=installed, capture_output=True, text=True, check=False,
        env={**os.environ, **api, "GEN3D_KEY": key.key[:-1] + "-"}, timeout=PATIENCE,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "Unauthorized There is no such key, or it was withdrawn." in refused.stderr
