"""An engine of somebody's own, which makes meshes, through the whole deployed stack."""

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import trimesh
from PIL import Image

from gen3d.formats import MESH_FORMATS
from tests.local.running import ROOT, RunningStack, eventually
from tests.local.test_gen3d import FACES, Json, Person, cup_mask, mails, person

PAGE = ROOT / "docs" / "adding-an-engine.md"


def commands(heading: str) -> str:
    """What the page says to type under a heading."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```\n(.*?)```", section, re.DOTALL))


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person at a stack that is told of the engine by what docs/adding-an-engine.md says."""
    folder = tmp_path_factory.mktemp("own")

    def here(heading: str) -> str:
        return commands(heading).replace("build/cushion", str(folder / "cushion"))

    subprocess.run(["bash", "-ec", here("Seal its weights")], cwd=ROOT, check=True)
    start = here("Try it on this machine")
    running = RunningStack(
        folder / "stack",
        template=ROOT / "template.yaml",
        parameters=dict(re.findall(r"--parameter (\w+)=(\S+)", start)),
        environment=dict(re.findall(r"(GEN3D_LOCAL_\w+)=(\S+)", start)),
    )
    try:
        running.start()
        with pytest.MonkeyPatch.context() as patch:
            yield person(running, "ann@example.com", patch)
    finally:
        running.stop()


@pytest.fixture(scope="module")
def cup(ann: Person, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The object of a finished job."""
    job = ann.awaiting_mask(best=True)
    assert job["decoder"]["engine"] == "cushion"
    ann.upload_mask(job, cup_mask(job), tmp_path_factory.mktemp("mask"))
    assert ann.reconstruct(job).status_code == 202
    return dict(ann.reach(job["jobId"], "COMPLETED")["objects"][0])


def read(cup: Json, ending: str) -> trimesh.Trimesh:
    file = io.BytesIO(httpx.get(cup["files"][ending]["url"]).raise_for_status().content)
    return trimesh.load_mesh(file, file_type=ending.rpartition(".")[2])


def test_every_format_of_a_closed_mesh_comes_out(cup: Json) -> None:
    assert set(cup["files"]) == {*MESH_FORMATS, "preview"}
    for ending in ("glb", "draco.glb", "obj", "stl", "ply"):
        mesh = read(cup, ending)
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        assert len(mesh.faces) == cup["mesh"]["faces"] <= FACES
        assert mesh.is_watertight
    with zipfile.ZipFile(
        io.BytesIO(httpx.get(cup["files"]["zip"]["url"]).raise_for_status().content)
    ) as file:
        assert {"mesh.obj", "mesh.mtl", "mesh.jpg"} <= {*file.namelist()}
        assert "Pr 0.6" in file.read("mesh.mtl").decode().splitlines()


def test_its_material_is_the_engine_s(cup: Json) -> None:
    material = read(cup, "glb").visual.material
    assert (material.metallicFactor, material.roughnessFactor) == (0, 0.6)
    picture = np.asarray(material.baseColorTexture.convert("RGB"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000  # the photo's


def test_it_is_what_the_engine_made_and_no_splat(cup: Json) -> None:
    made = cup["engineMesh"]
    assert "splat" not in cup
    assert made["engine"] == "cushion"
    assert cup["mesh"]["coverage"] > 0.97
    source = trimesh.load_mesh(io.BytesIO(httpx.get(made["url"]).content), file_type="glb")
    assert len(source.faces) == made["faces"] > cup["mesh"]["faces"]
    assert cup["mesh"]["facesRead"] == made["faces"]


def test_its_picture_shows_the_cup(cup: Json, tmp_path: Path) -> None:
    file = io.BytesIO(httpx.get(cup["files"]["preview"]["url"]).content)
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    red, _, blue = pixels[150:650, 150:650].reshape(-1, 3).T
    assert (red > blue + 40).mean() > 0.2  # coffee and its red cup, before a grey ground


def test_its_mail_has_no_splat(ann: Person, cup: Json) -> None:
    job_id = cup["engineMesh"]["url"].split("/jobs/")[1].split("/")[0]
    mail = eventually(lambda: mails(ann.stack, job_id, ann.email))[0]
    for form in (mail["html"], mail["text"]):
        assert "engine.glb" in form
        assert "splat" not in form.lower()
