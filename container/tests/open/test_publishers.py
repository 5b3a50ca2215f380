"""The open engine's weights, fetched from a hub on this machine."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
from huggingface_hub import constants

from container.tests.open import tiny
from container.tests.sam.hub import Hub, serving
from gen3d.errors import WeightsInvalid, WeightsUnavailable
from gen3d_inference import weights
from gen3d_inference.engines.open import __main__ as command
from gen3d_inference.engines.open import publishers

pytestmark = pytest.mark.filterwarnings("ignore")
SPLAT = {
    "clip_vision/dino_v3_vit_h.safetensors": b"d" * 2000,
    "diffusion_models/triposplat_fp16.safetensors": b"f" * 3000,
    "vae/flux2-vae.safetensors": b"v" * 1500,
    "vae/triposplat_vae_decoder_fp16.safetensors": b"g" * 2500,
    "background_removal/birefnet.safetensors": b"b" * 5000,
    "README.md": b"about",
}


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sam2")
    tiny.write_sam2(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {**files, "sam2.1_hiera_large.pt": b"p" * 4000}


@pytest.fixture
def hub(sam2: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Both repositories, at their main branch, with digests that are known."""
    for name in ("SAM2", "TRIPOSPLAT"):
        at_main = replace(getattr(publishers, name), revision="main")
        monkeypatch.setattr(publishers, name, at_main)
    held = {
        **{f"sam2/{name}": content for name, content in sam2.items()},
        **{f"triposplat/{name}": content for name, content in SPLAT.items()},
    }
    for path in publishers.DIGESTS:
        digest = hashlib.sha256(held[path]).hexdigest()
        monkeypatch.setitem(publishers.DIGESTS, path, digest)
    with serving() as served:
        served.repositories = {
            publishers.SAM2.name: dict(sam2),
            publishers.TRIPOSPLAT.name: dict(SPLAT),
        }
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", served.url + template)
        yield served


def test_a_folder_is_made_whole_and_sealed_without_a_token(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    manifest = publishers.fetch(folder, None)
    assert manifest.engine == "open"
    assert set(manifest.files) == {
        *publishers.DIGESTS,
        "sam2/config.json",
        "decoder.onnx",
        "LICENSE",
    }, "no background remover, no second copy of SAM 2.1"
    assert weights.check(folder, "open") == manifest
    about = onnxruntime.InferenceSession(folder / "decoder.onnx").get_modelmeta()
    assert about.custom_metadata_map["engine"] == "open"
    said = (folder / "LICENSE").read_text()
    for word in ("Apache License", "MIT", "DINOv3 License", "FLUX.2", "TripoSplat"):
        assert word in said


def test_run_again_it_fetches_nothing(hub: Hub, tmp_path: Path) -> None:
    first = publishers.fetch(tmp_path, None)
    hub.asked.clear()
    assert publishers.fetch(tmp_path, None) == first
    assert not hub.asked


@pytest.mark.parametrize("path", list(publishers.DIGESTS))
def test_other_content_than_is_known_is_refused_before_it_is_fetched(
    hub: Hub, tmp_path: Path, path: str
) -> None:
    folder, _, name = path.partition("/")
    repository = publishers.SAM2 if folder == "sam2" else publishers.TRIPOSPLAT
    hub.repositories[repository.name][name] = b"other" * 1000
    with pytest.raises(WeightsUnavailable, match=f"{Path(path).name} is not announced with"):
        publishers.fetch(tmp_path, None)
    del hub.repositories[repository.name][name]
    with pytest.raises(WeightsUnavailable, match=r"is not announced with|holds none of"):
        publishers.fetch(tmp_path, None)
    assert not hub.asked


def test_what_is_not_theirs_is_not_sealed(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WeightsInvalid, match=r"notes\.txt"):
        publishers.fetch(tmp_path, None)


def test_revisions_are_commits() -> None:
    for repository in (publishers.SAM2, publishers.TRIPOSPLAT):
        assert len(bytes.fromhex(repository.revision)) == 20


def test_the_command_says_what_it_did(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["fetch-weights", "--out", str(tmp_path)]) == 0
    assert f"{tmp_path} is whole: open " in capsys.readouterr().out
    hub.down = True
    (tmp_path / "sam2" / "model.safetensors").unlink()
    assert command.main(["fetch-weights", "--out", str(tmp_path)]) == 1
    assert "Run this again later" in capsys.readouterr().err
    assert command.main(["fetch-wights"]) == 2
