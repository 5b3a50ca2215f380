"""Weights are fetched from a hub on this machine: whole, gone on with, and refused with advice."""

import errno
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import onnxruntime
import pytest
from huggingface_hub import constants

from container.tests.sam import tiny
from container.tests.sam.hub import NARROW, TOKEN, WAITING, Hub, serving
from gen3d.errors import WeightsInvalid, WeightsUnavailable
from gen3d_inference import weights
from gen3d_inference.engines.parts import downloads
from gen3d_inference.engines.sam import __main__ as command
from gen3d_inference.engines.sam import dinov2, fetch
from tests import aws

ROOT = Path(__file__).parents[3]
BUCKET = "gen3d-weights"
MODEL = bytes(range(256)) * 2000
CODE = {"hubconf.py": b"dependencies = []", "LICENSE": b"Apache", "dinov2/__init__.py": b""}
REPOSITORIES = (fetch.SAM3, fetch.SAM3D, fetch.MOGE)
AT_MAIN = tuple(replace(repository, revision="main") for repository in REPOSITORIES)
EXPECTED = {
    "LICENSE",
    "decoder.onnx",
    "dinov2/LICENSE",
    "dinov2/dinov2/__init__.py",
    "dinov2/hubconf.py",
    "moge/model.pt",
    "sam-3d-objects/LICENSE",
    "sam-3d-objects/checkpoints/pipeline.yaml",
    "sam-3d-objects/checkpoints/ss_generator.ckpt",
    "sam3/LICENSE",
    "sam3/config.json",
    "sam3/merges.txt",
    "sam3/model.safetensors",
}


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What HF_ENDPOINT does where it is there from the start."""
    template = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + template)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("dinov2-abc/README.md", "unwanted")
        for name, content in files.items():
            packed.writestr(f"dinov2-abc/{name}", content)
    return buffer.getvalue()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """All that the sam engine takes, at one tiny address."""
    with serving() as served:
        served.repositories = {
            "facebook/sam3": {
                "config.json": b"{}",
                "merges.txt": b"a b",
                "model.safetensors": MODEL,
                "sam3.pt": b"the same again",
                "README.md": b"# SAM 3",
                "LICENSE": b"SAM License",
            },
            "facebook/sam-3d-objects": {
                "LICENSE": b"SAM License",
                "README.md": b"# SAM 3D Objects",
                "checkpoints/pipeline.yaml": b"dtype: float16",
                "checkpoints/ss_generator.ckpt": MODEL[::-1],
            },
            "Ruicheng/moge-vitl": {"model.pt": MODEL[1:], "README.md": b"# MoGe"},
        }
        served.gated = {"facebook/sam3", "facebook/sam-3d-objects"}
        served.files = {"/dinov2.zip": archive(CODE)}
        use_hub(monkeypatch, served.url)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
        monkeypatch.setattr(dinov2, "ARCHIVE", f"{served.url}/dinov2.zip")
        for name, content in CODE.items():
            path = tmp_path / "code" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        monkeypatch.setattr(dinov2, "CODE_DIGEST", dinov2._digest(tmp_path / "code"))
        yield served


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "weights"


@pytest.fixture
def s3() -> Iterator[Any]:
    with aws.bucket(BUCKET) as client:
        yield client


def write_decoder(sam3: Path, out: Path) -> None:
    """Stands where the export stands, which has tests of its own."""
    assert (sam3 / "model.safetensors").is_file()
    out.write_bytes(b"decoder")


def run(out: Path, token: str | None = TOKEN) -> weights.Manifest:
    return fetch.fetch(out, token, write_decoder, AT_MAIN)


def files_asked(hub: Hub) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in hub.asked]


class TestWhole:
    def test_everything_is_there_and_sealed(self, hub: Hub, out: Path) -> None:
        manifest = run(out)
        assert set(manifest.files) == EXPECTED
        assert weights.check(out, "sam") == manifest
        assert (out / "LICENSE").read_bytes() == b"SAM License"
        assert (out / "sam3" / "model.safetensors").read_bytes() == MODEL

    def test_what_is_there_is_not_fetched_again(self, hub: Hub, out: Path) -> None:
        first = run(out)
        hub.asked.clear()
        assert run(out) == first
        assert hub.asked == []

    def test_a_file_that_was_changed_is_fetched_again(self, hub: Hub, out: Path) -> None:
        first = run(out)
        for name in ("sam3/model.safetensors", "sam3/config.json"):
            content = (out / name).read_bytes()
            (out / name).write_bytes(content[::-1])
        (out / dinov2.CODE / "hubconf.py").write_bytes(b"import os")
        hub.asked.clear()
        assert run(out) == first
        assert sorted(files_asked(hub)) == ["config.json", "dinov2.zip", "model.safetensors"]

    def test_a_file_that_the_hub_changed_is_another_revision(self, hub: Hub, out: Path) -> None:
        first = run(out)
        hub.repositories["facebook/sam3"]["model.safetensors"] = MODEL[3:]
        hub.asked.clear()
        assert run(out).revision != first.revision
        assert files_asked(hub) == ["model.safetensors"]

    def test_the_token_goes_to_the_hub_alone(self, hub: Hub, out: Path) -> None:
        run(out)
        for (path, _), authorization in zip(hub.asked, hub.authorizations, strict=True):
            expected = None if path.startswith("/dinov2") else f"Bearer {TOKEN}"
            assert authorization == expected, path

    def test_the_decoder_is_made_from_what_came(self, hub: Hub, out: Path, tmp_path: Path) -> None:
        """With the real export, of a SAM 3 that is small and random."""
        tiny.write(tmp_path / "tiny")
        hub.repositories["facebook/sam3"] = {
            path.name: path.read_bytes() for path in (tmp_path / "tiny").iterdir()
        }
        manifest = fetch.fetch(out, TOKEN, fetch._export, AT_MAIN)
        assert weights.check(out, "sam") == manifest
        session = onnxruntime.InferenceSession(out / "decoder.onnx")
        assert "image_embed" in [each.name for each in session.get_inputs()]
        assert (out / "LICENSE").read_bytes() == (tmp_path / "tiny" / "LICENSE").read_bytes()


class TestGoesOn:
    def test_a_download_that_is_cut_goes_on_where_it_was(
        self, hub: Hub, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)  # is kept only whole
        hub.cut = 400_000
        run(out)
        assert (out / "sam3" / "model.safetensors").read_bytes() == MODEL
        ranges = [asked for path, asked in hub.asked if path.endswith("model.safetensors")]
        assert ranges == [None, "bytes=400000-"]

    def test_so_does_one_whose_process_ended(self, hub: Hub, out: Path) -> None:
        part = out / ".cache" / sha256(MODEL)
        part.parent.mkdir(parents=True)
        part.write_bytes(MODEL[:1234])
        run(out)
        ranges = [asked for path, asked in hub.asked if path.endswith("model.safetensors")]
        assert ranges == ["bytes=1234-"]
        assert (out / "sam3" / "model.safetensors").read_bytes() == MODEL

    def test_a_hub_that_breaks_down_is_gone_back_to(self, hub: Hub, out: Path) -> None:
        hub.down = True
        with pytest.raises(WeightsUnavailable, match="answered 503"):
            run(out)
        hub.down = False
        assert set(run(out).files) == EXPECTED

    def test_a_rest_that_does_not_fit_is_not_kept(self, hub: Hub, out: Path) -> None:
        part = out / ".cache" / sha256(MODEL)
        part.parent.mkdir(parents=True)
        part.write_bytes(b"something else")
        with pytest.raises(WeightsUnavailable, match=r"sam3/model\.safetensors arrived with other"):
            run(out)
        assert set(run(out).files) == EXPECTED


class TestRefusals:
    def test_an_account_that_waits_for_approval(self, hub: Hub, out: Path) -> None:
        with pytest.raises(WeightsUnavailable) as refused:
            run(out, WAITING)
        message = refused.value.message
        assert "https://huggingface.co/facebook/sam3 " in message
        assert "can take days" in message
        assert "the account that the token belongs to" in message
        assert WAITING not in message
        assert hub.asked == []

    def test_no_token(self, hub: Hub, out: Path) -> None:
        with pytest.raises(WeightsUnavailable, match="access token of that account as HF_TOKEN"):
            run(out, None)

    def test_a_wrong_token(self, hub: Hub, out: Path) -> None:
        with pytest.raises(WeightsUnavailable, match="does not accept the token"):
            run(out, "hf_wrong")

    def test_a_token_that_may_not_read_gated_repositories(self, hub: Hub, out: Path) -> None:
        with pytest.raises(WeightsUnavailable, match="The token may not read"):
            run(out, NARROW)

    def test_a_repository_that_is_not_there(self, hub: Hub, out: Path) -> None:
        del hub.repositories["facebook/sam-3d-objects"]
        with pytest.raises(WeightsUnavailable, match="There is no facebook/sam-3d-objects"):
            run(out)
        hub.gated.clear()
        with pytest.raises(WeightsUnavailable, match="facebook/sam-3d-objects is not there, or"):
            run(out, None)

    def test_an_unknown_revision(self, hub: Hub, out: Path) -> None:
        wanted = (replace(fetch.SAM3, revision="0123abc"),)
        with pytest.raises(WeightsUnavailable, match="facebook/sam3 has no revision 0123abc"):
            fetch.fetch(out, TOKEN, write_decoder, wanted)

    def test_no_network(self, hub: Hub, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_hub(monkeypatch, "http://127.0.0.1:9")
        with pytest.raises(WeightsUnavailable, match="cannot be reached"):
            run(out)

    def test_too_little_room(self, hub: Hub, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
        with pytest.raises(WeightsUnavailable, match=r"need 0\.0 GB more"):
            run(out)
        assert hub.asked == []

    def test_a_disk_that_fills_up(self) -> None:
        with (
            pytest.raises(WeightsUnavailable, match="The disk is full"),
            downloads.explained("facebook/sam3"),
            Path("/dev/full").open("wb", buffering=0) as full,
        ):
            full.write(b"weights")

    def test_a_folder_that_cannot_be_made(self, hub: Hub, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(WeightsUnavailable, match="cannot be made"):
            run(tmp_path / "file" / "weights")

    def test_code_that_was_not_reviewed(self, hub: Hub, out: Path) -> None:
        hub.files["/dinov2.zip"] = archive(CODE | {"hubconf.py": b"import os"})
        with pytest.raises(WeightsUnavailable, match="other code than was reviewed"):
            run(out)
        hub.files["/dinov2.zip"] = b"no archive"
        with pytest.raises(WeightsUnavailable, match="other code than was reviewed"):
            run(out)

    def test_a_file_of_somebody_elses_in_the_folder(self, hub: Hub, out: Path) -> None:
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        with pytest.raises(WeightsInvalid, match=r"also holds notes\.txt"):
            run(out)
        assert (out / "notes.txt").read_text() == "mine"

    def test_another_error_of_the_disk_keeps_its_reason(self) -> None:
        with (
            pytest.raises(WeightsUnavailable, match="Read-only file system"),
            downloads.explained("facebook/sam3"),
        ):
            raise OSError(errno.EROFS, "Read-only file system")


class TestToken:
    def test_comes_from_the_command_before_the_environment(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert fetch.read_token(None) is None
        monkeypatch.setenv("HF_TOKEN", "hf_environment")
        assert fetch.read_token(None) == "hf_environment"
        assert fetch.read_token("hf_given") == "hf_given"

    @pytest.mark.usefixtures("s3")
    def test_comes_out_of_a_secret(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        client = boto3.client("secretsmanager")
        arn = client.create_secret(Name="token", SecretString=f"{TOKEN}\n")["ARN"]
        assert fetch.read_token(arn) == TOKEN
        monkeypatch.setenv("HF_TOKEN", arn)
        assert fetch.read_token(None) == TOKEN

    @pytest.mark.usefixtures("s3")
    def test_a_secret_without_a_value_says_how_to_give_it_one(self) -> None:
        arn = boto3.client("secretsmanager").create_secret(Name="token")["ARN"]
        with pytest.raises(WeightsUnavailable, match="put-secret-value --secret-id arn:aws:"):
            fetch.read_token(arn)
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="\n")
        with pytest.raises(WeightsUnavailable, match=r"is empty\. Set it: aws secretsmanager"):
            fetch.read_token(arn)


class TestCommand:
    def test_fetches_stages_and_says_what_is_next(
        self,
        hub: Hub,
        out: Path,
        s3: Any,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(fetch, "_export", write_decoder)
        monkeypatch.setattr(fetch, "MOGE", AT_MAIN[2])
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        arguments = ["fetch-weights", "--out", str(out), "--bucket", BUCKET]
        arguments += ["--revision-sam3", "main", "--revision-sam3d", "main"]
        assert command.main(arguments) == 0
        said = capsys.readouterr().out
        revision = weights.check(out).revision
        prefix = f"models/sam/{revision}/"
        assert f"s3://{BUCKET}/{prefix} is whole" in said
        assert f"--parameter-overrides Engine=sam WeightsRevision={revision}" in said
        listed = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        keys = {item["Key"] for item in listed}
        assert keys == {prefix + name for name in EXPECTED | {"manifest.json"}}

    def test_takes_the_newer_sam_where_it_is_asked_to(
        self, hub: Hub, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its configuration and weights are written here, from the one file that there is."""
        hub.repositories["facebook/sam3.1"] = {
            "LICENSE": b"SAM License",
            "config.json": b"{}",
            "merges.txt": b"a b",
            "sam3.1_multiplex.pt": MODEL,
        }

        def export(sam: Path, decoder: Path) -> None:
            (sam / "sam3.1_multiplex.pt").rename(sam / "model.safetensors")
            (sam / "config.json").write_text("{}")
            write_decoder(sam, decoder)

        monkeypatch.setattr(fetch, "_export", export)
        monkeypatch.setattr(fetch, "MOGE", AT_MAIN[2])
        arguments = ["fetch-weights", "--out", str(out), "--token", TOKEN, "--sam", "3.1"]
        arguments += ["--revision-sam3", "main", "--revision-sam3d", "main"]
        assert command.main(arguments) == 0
        assert set(weights.check(out).files) == EXPECTED
        assert "config.json" not in files_asked(hub)

    def test_says_what_to_do_and_no_more(self, hub: Hub, out: Path) -> None:
        environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_TOKEN": WAITING}
        command = [
            sys.executable,
            "-m",
            "gen3d_inference.engines.sam",
            "fetch-weights",
            "--out",
            str(out),
        ]
        command += ["--revision-sam3", "main"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Access to facebook/sam3 has not been granted. ")
        assert "Traceback" not in done.stderr
        assert WAITING not in done.stdout + done.stderr

    def test_knows_its_commands(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            command.main(["fetch-weights", "--help"])
        assert ended.value.code == 0
        assert "can take days" in " ".join(capsys.readouterr().out.split())
        with pytest.raises(SystemExit) as ended:
            command.main(["serve"])
        assert ended.value.code == 2
