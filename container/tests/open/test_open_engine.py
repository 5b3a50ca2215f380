"""The open engine as a whole: what it refuses, and what it survives."""

import shutil
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from container.tests.open import tiny
from gen3d.errors import (
    GpuUnavailable,
    InvalidRequest,
    OutOfMemory,
    ReconstructionFailed,
    WeightsInvalid,
)
from gen3d.options import EngineOptions, OneOf
from gen3d_inference import ply_writer
from gen3d_inference.embeddings import pack
from gen3d_inference.engines import choice
from gen3d_inference.engines.open import open_engine, reconstruction, upstream
from gen3d_inference.engines.open.open_engine import NEEDS, OpenEngine
from gen3d_inference.engines.open.reconstruction import Effort
from gen3d_inference.engines.parts import gpu
from gen3d_inference.weights import seal

pytestmark = pytest.mark.filterwarnings("ignore")
PHOTO = Image.effect_noise((200, 150), 60).convert("RGB")
MASK = np.zeros((150, 200), bool)
MASK[40:110, 60:140] = True
LITTLE = Effort(steps=2, gaussians=1024)
ANY = EngineOptions()
EFFORTS = dict(reconstruction.EFFORTS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("open") / "weights"
    tiny.write_engine(folder)
    return folder


@pytest.fixture(autouse=True)
def _on_the_cpu(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN3D_DEVICE", "cpu")
    monkeypatch.setitem(reconstruction.EFFORTS, "standard", LITTLE)
    tiny.use_code(whole.parent / "code", monkeypatch)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "weights"
    shutil.copytree(whole, copy)
    return copy


@pytest.fixture(scope="module")
def engine(whole: Path) -> OpenEngine:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN3D_DEVICE", "cpu")
        tiny.use_code(whole.parent / "code", patch)
        found = OpenEngine(whole)
        found._objects.get()
        return found


def run(engine: OpenEngine, effort: Effort = LITTLE) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(reconstruction.EFFORTS, "standard", effort)
        return engine._objects.get().run(PHOTO, MASK, ANY)


def test_embeddings_say_what_the_page_has_to_know(engine: OpenEngine) -> None:
    found = engine.initialize(PHOTO)
    assert found.meta.input_width == found.meta.input_height == str(tiny.SIDE)
    assert (found.meta.precision, found.meta.single_mask_index) == ("u8", "0")
    assert found.tensors["image_embed"].dtype == np.uint8


def test_it_reads_no_text(engine: OpenEngine) -> None:
    with pytest.raises(InvalidRequest, match="clicks only"):
        engine.initialize(PHOTO, "chair")


def test_an_object_has_as_many_gaussians_as_asked_for(engine: OpenEngine) -> None:
    for count in (1024, 2048):
        gaussians, _ = run(engine, Effort(steps=2, gaussians=count))
        assert 0.9 * count < len(gaussians) <= count
    objects = engine._objects.get()
    assert list(objects.timings) == ["cutout", "condition", "latents", "gaussians"]


def test_more_steps_are_another_answer(engine: OpenEngine) -> None:
    two, three = (run(engine, Effort(steps, 1024))[0] for steps in (2, 3))
    assert ply_writer.pack(two) != ply_writer.pack(three)


def test_what_is_offered_is_what_there_is() -> None:
    quality = OpenEngine.offers["quality"]
    assert isinstance(quality, OneOf)
    assert set(quality.values) == set(quality.seconds) == set(reconstruction.EFFORTS)
    fast, standard = EFFORTS["fast"], EFFORTS["standard"]
    assert fast.steps < standard.steps
    assert fast.gaussians < standard.gaussians


def test_each_phase_is_told(engine: OpenEngine) -> None:
    told: list[tuple[str, float]] = []
    objects = engine._objects.get()
    objects.run(PHOTO, MASK, ANY, lambda *each: told.append(each))
    assert told[0] == ("cutout", 0.0)
    assert ("latents", 0.5) in told
    assert told[-1] == ("gaussians", 1.0)


@pytest.mark.parametrize(
    "absent",
    ["sam2/config.json", "decoder.onnx", "manifest.json", "LICENSE", reconstruction.DENOISER],
)
def test_a_partial_folder_is_refused(folder: Path, absent: str) -> None:
    (folder / absent).unlink()
    with pytest.raises(WeightsInvalid, match=Path(absent).name):
        choice.load("open", folder)


def test_another_revision_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsInvalid, match="not 0123456789ab"):
        choice.load("open", folder, "0123456789ab")


def test_a_changed_network_is_refused_before_it_runs(folder: Path) -> None:
    path = folder / reconstruction.DENOISER
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    engine = OpenEngine(folder)
    assert pack(engine.initialize(PHOTO))
    for _ in range(2):
        with pytest.raises(WeightsInvalid, match="not the file that was sealed"):
            engine.reconstruct(PHOTO, MASK, ANY)


@pytest.mark.parametrize(
    "path",
    [
        reconstruction.DENOISER,
        reconstruction.DECODER,
        reconstruction.IMAGE_ENCODER,
        reconstruction.LATENT_ENCODER,
    ],
)
def test_a_network_of_another_release_is_named(folder: Path, path: str) -> None:
    tensors = load_file(folder / path)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, folder / path)
    seal(folder, "open")
    engine = OpenEngine(folder)
    with pytest.raises(WeightsInvalid, match=rf"{Path(path).name} cannot be loaded.*Fetch"):
        engine.reconstruct(PHOTO, MASK, ANY)


def test_what_failed_to_load_is_loaded_at_the_next_object(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with monkeypatch.context() as patch:
        patch.setattr(open_engine, "ObjectReconstruction", fail)
        engine = OpenEngine(folder)
        with pytest.raises(OutOfMemory):
            engine.reconstruct(PHOTO, MASK, ANY)
    assert ply_writer.pack(engine.reconstruct(PHOTO, MASK, ANY)[0])


@pytest.mark.parametrize("name", list(tiny.STAND_IN))
def test_code_that_is_not_there_or_another_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    code = tmp_path / "code"
    tiny.write_code(code)
    monkeypatch.setenv(upstream.SETTING, str(code))
    (code / f"{name}.py").write_text("print('ours now')\n")
    with pytest.raises(WeightsInvalid, match=r"not upstream's of commit a78fa12"):
        OpenEngine(folder).reconstruct(PHOTO, MASK, ANY)
    (code / f"{name}.py").unlink()
    with pytest.raises(WeightsInvalid, match=rf"{name}\.py is not in"):
        upstream.load()


def test_the_code_leaves_no_module_of_a_common_name_behind() -> None:
    import sys

    upstream.load()
    assert not {"model", "triposplat"} & set(sys.modules)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_an_answer_of_no_numbers_is_named(
    engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    flow = engine._objects.get()._flow
    monkeypatch.setattr(flow, "positions", torch.full_like(flow.positions, value))
    with pytest.raises(ReconstructionFailed, match=r"no numbers.*another seed"):
        run(engine)


def test_memory_that_ran_out_is_freed_and_the_next_job_done(
    engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def run_out(*_: object, **__: object) -> None:
        half_done = torch.zeros(1000)
        held.append(weakref.ref(half_done))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")

    with monkeypatch.context() as patch:
        patch.setattr(engine._objects.get(), "_denoise", run_out)
        with pytest.raises(OutOfMemory, match=r"larger GPU.*ml\.g6\.2xlarge") as raised:
            engine.reconstruct(PHOTO, MASK, ANY)
    assert held[0]() is None
    assert raised.value.__context__ is None
    assert ply_writer.pack(run(engine)[0])


def card(monkeypatch: pytest.MonkeyPatch, **properties: Any) -> None:
    monkeypatch.delenv("GEN3D_DEVICE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(properties))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(**properties)
    )
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80", "sm_90"])


def test_a_16_gb_card_without_bfloat16_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    card(monkeypatch, name="T4", major=7, minor=5, total_memory=15_650_000_000)
    assert gpu.choose(NEEDS).type == "cuda"


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({}, "offers none"),
        ({"name": "V100", "major": 7, "minor": 0, "total_memory": 16 * 2**30}, "no kernels"),
        ({"name": "B200", "major": 10, "minor": 0, "total_memory": 180 * 2**30}, "no kernels"),
        ({"name": "RTX 3050", "major": 8, "minor": 6, "total_memory": 8 * 2**30}, "8 GB of mem"),
    ],
)
def test_a_gpu_that_will_not_do_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any], sentence: str
) -> None:
    card(monkeypatch, **properties)
    with pytest.raises(GpuUnavailable, match=rf"{sentence}.*ml\.g4dn\.xlarge"):
        choice.load("open", folder)
