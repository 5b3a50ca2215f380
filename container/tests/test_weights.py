"""Sealing and checking a weights folder."""

import hashlib
import json
from pathlib import Path

import pytest

from gen3d.errors import WeightsInvalid
from gen3d_inference import weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "encoder.onnx").write_bytes(b"encoder")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "0.bin").write_bytes(b"part")
    (tmp_path / "README.md").write_text("What these are.")
    weights.seal(tmp_path, "lite")
    return tmp_path


def test_the_manifest_is_of_the_documented_form(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    digests = {
        "encoder.onnx": hashlib.sha256(b"encoder").hexdigest(),
        "parts/0.bin": hashlib.sha256(b"part").hexdigest(),
    }
    lines = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    assert manifest == {
        "engine": "lite",
        "revision": hashlib.sha256(lines.encode()).hexdigest()[:12],
        "files": {
            "encoder.onnx": {"sha256": digests["encoder.onnx"], "bytes": 7},
            "parts/0.bin": {"sha256": digests["parts/0.bin"], "bytes": 4},
        },
    }


def test_a_whole_folder_passes(folder: Path) -> None:
    manifest = weights.check(folder, "lite")
    assert weights.check(folder, "lite", manifest.revision) == manifest


def test_sealing_again_changes_nothing(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    (folder / "README.md").write_text("Said better.")
    weights.seal(folder, "lite")
    assert (folder / "manifest.json").read_bytes() == before


def test_hidden_files_are_not_sealed(folder: Path) -> None:
    before = weights.check(folder)
    (folder / "parts" / ".cache").mkdir()
    (folder / "parts" / ".cache" / "1.bin.incomplete").write_bytes(b"half a download")
    assert weights.seal(folder, "lite") == before


def test_other_weights_are_another_revision(folder: Path) -> None:
    before = weights.check(folder).revision
    (folder / "encoder.onnx").write_bytes(b"another")
    assert weights.seal(folder, "lite").revision != before


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{}"), "not a manifest"),
        (lambda f: (f / "encoder.onnx").unlink(), "encoder.onnx is missing"),
        (lambda f: (f / "parts" / "0.bin").write_bytes(b"par"), "3 bytes instead of 4"),
        (lambda f: (f / "encoder.onnx").write_bytes(b"ENCODER"), "not the file that was sealed"),
        (
            lambda f: (f / "manifest.json").write_text(
                (f / "manifest.json").read_text().replace(weights.check(f).revision, "0123456789ab")
            ),
            "changed by hand",
        ),
    ],
    ids=["absent", "no manifest", "partial", "cut off", "changed", "forged revision"],
)
def test_a_harmed_folder_is_refused(folder: Path, harm: object, sentence: str) -> None:
    assert callable(harm)
    harm(folder)
    with pytest.raises(WeightsInvalid, match=sentence):
        weights.check(folder)


def test_another_engine_or_revision_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsInvalid, match="lite engine, not of sam"):
        weights.check(folder, "sam")
    with pytest.raises(WeightsInvalid, match="not 0123456789ab"):
        weights.check(folder, "lite", "0123456789ab")


def test_an_empty_folder_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match="no weights"):
        weights.seal(tmp_path, "lite")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid):
        weights.check(tmp_path / "nowhere")


def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert weights.main(["check", str(folder), "--engine", "lite"]) == 0
    assert capsys.readouterr().out == f"lite {weights.check(folder).revision}: 2 files, 11 bytes\n"
    (folder / "encoder.onnx").unlink()
    assert weights.main(["check", str(folder)]) == 1
    assert "encoder.onnx is missing" in capsys.readouterr().err
    assert weights.main(["seal", str(folder), "--engine", "sam"]) == 0
    assert weights.check(folder).engine == "sam"


def test_the_weights_in_the_repository_are_whole(weights_folder: Path) -> None:
    assert {"decoder.onnx", "LICENSE"} <= set(weights.check(weights_folder).files)
