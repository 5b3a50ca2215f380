"""What the sam engine adds to the contract that container/tests/test_engine.py holds it to."""

import gc
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from container.tests.sam import tiny
from gen3d.errors import GpuUnavailable, OutOfMemory, WeightsInvalid
from gen3d.options import EngineOptions
from gen3d_inference.embeddings import pack
from gen3d_inference.engines import choice as engines
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.precision import SETTING
from gen3d_inference.engines.sam import encoder
from gen3d_inference.engines.sam import sam_engine as sam
from gen3d_inference.engines.sam.sam_engine import NEEDS, SamEngine
from gen3d_inference.weights import seal

PHOTO = Image.effect_noise((200, 150), 60).convert("RGB")


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN3D_DEVICE", "cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.write_engine(tmp_path)
    return tmp_path


@pytest.mark.parametrize("precision", ["fp16", "fp32", "u8"])
def test_embeddings_are_in_the_precision_that_is_wanted(
    folder: Path, precision: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, precision)
    embeddings = SamEngine(folder).initialize(PHOTO)
    dtype = {"fp16": np.float16, "fp32": np.float32, "u8": np.uint8}[precision]
    assert embeddings.meta.precision == precision
    assert embeddings.meta.input_width == embeddings.meta.input_height == str(tiny.SIDE)
    assert embeddings.meta.single_mask_index == "0"
    for name in ("image_embed", "high_res_0", "high_res_1"):
        assert embeddings.tensors[name].dtype == dtype
    assert ("image_embed_basis" in embeddings.tensors) == (precision == "u8")


# torch warns of itself where its compiler is imported first, as torchvision's operators do.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")
def test_a_text_gives_candidates_beside_the_embeddings(folder: Path) -> None:
    engine = SamEngine(folder)
    plain, named = engine.initialize(PHOTO), engine.initialize(PHOTO, "chair")
    assert plain.candidates is None
    assert named.candidates is not None
    assert named.candidates.text == "chair"
    assert named.meta.found_text == ""
    assert named.candidates.logits.shape[1:] == (4 * tiny.GRID, 4 * tiny.GRID)
    for name, tensor in plain.tensors.items():
        assert np.array_equal(named.tensors[name], tensor)


@pytest.mark.parametrize("name", ["sam3/model.safetensors", "sam3/LICENSE", "moge/model.pt"])
def test_a_changed_file_is_refused_before_it_is_used(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(b"depth")
        seal(folder, "sam")
    original = path.read_bytes()
    path.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    with pytest.raises(WeightsInvalid, match="not the file that was sealed"):
        SamEngine(folder).reconstruct(PHOTO, np.ones((150, 200), bool), EngineOptions())


def test_without_sam_3d_objects_photos_are_encoded_and_objects_refused(folder: Path) -> None:
    engine = SamEngine(folder)
    with pytest.raises(WeightsInvalid):
        engine.reconstruct(PHOTO, np.ones((150, 200), bool), EngineOptions())
    assert pack(engine.initialize(PHOTO))


@pytest.mark.parametrize("absent", ["sam3/config.json", "decoder.onnx", "manifest.json"])
def test_a_partial_folder_is_refused(folder: Path, absent: str) -> None:
    (folder / absent).unlink()
    with pytest.raises(WeightsInvalid, match=absent):
        engines.load("sam", folder)


def test_another_revision_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsInvalid, match="not 0123456789ab"):
        engines.load("sam", folder, "0123456789ab")


def test_weights_without_a_decoder_are_refused(folder: Path) -> None:
    (folder / "decoder.onnx").unlink()
    seal(folder, "sam")
    with pytest.raises(WeightsInvalid, match=r"decoder\.onnx"):
        SamEngine(folder)


def test_memory_that_ran_out_is_freed_and_the_next_job_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SamEngine(folder)
    encode = engine._encoder
    held: list[weakref.ref[torch.Tensor]] = []

    def run_out(_: Image.Image) -> None:
        half_done = torch.zeros(1000)
        held.append(weakref.ref(half_done))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")

    freed = []
    monkeypatch.setattr(engine, "_encoder", run_out)
    monkeypatch.setattr(engine._concept, "free", lambda: freed.append(held[0]() is None))
    with pytest.raises(OutOfMemory, match="smaller photo") as raised:
        engine.initialize(PHOTO)
    gc.collect()
    assert freed == [True]
    assert raised.value.__context__ is None
    monkeypatch.setattr(engine, "_encoder", encode)
    assert pack(engine.initialize(PHOTO))


def test_a_gpu_that_refuses_everything_no_longer_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: torch.device) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    engine = SamEngine(folder)
    assert engine.works()
    monkeypatch.setattr(engine, "_device", torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "synchronize", refuse)
    assert not engine.works()


ARCHITECTURES = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100"]


def machine(monkeypatch: pytest.MonkeyPatch, **properties: Any) -> None:
    """Give torch a GPU of these properties, or none."""
    monkeypatch.delenv("GEN3D_DEVICE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(properties))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(**properties)
    )
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ARCHITECTURES)


def test_no_gpu_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch)
    with pytest.raises(GpuUnavailable, match=r"offers none.*ml\.g6e\.2xlarge"):
        engines.load("sam", folder)


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"name": "T4", "major": 7, "minor": 5, "total_memory": 15 * 2**30}, "bfloat16"),
        ({"name": "A2", "major": 8, "minor": 6, "total_memory": 15 * 2**30}, "15 GB of memory"),
    ],
)
def test_a_gpu_that_will_not_do_is_named(
    monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any], sentence: str
) -> None:
    machine(monkeypatch, **properties)
    with pytest.raises(GpuUnavailable, match=rf"{sentence}.*ml\.g5\.2xlarge"):
        gpu.choose(NEEDS)


def test_a_24_gb_card_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, name="A10G", major=8, minor=6, total_memory=23_028_000_000)
    assert gpu.choose(NEEDS).type == "cuda"


def test_a_gpu_that_torch_has_no_kernels_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, name="RTX PRO 6000", major=12, minor=0, total_memory=96 * 2**30)
    with pytest.raises(GpuUnavailable, match=r"sm_120.*no kernels.*sm_100.*ml\.g6e\.2xlarge"):
        gpu.choose(NEEDS)


@pytest.mark.parametrize(
    ("compiled", "capability", "runs"),
    [
        ("sm_86", (8, 9), True),
        ("sm_90", (8, 9), False),
        ("sm_86", (8, 0), False),
        ("sm_90a", (9, 0), True),
        ("sm_100a", (10, 3), False),
        ("sm_100f", (10, 3), True),
        ("compute_90", (12, 0), True),
        ("compute_90a", (12, 0), False),
        ("compute_120", (9, 0), False),
        ("sm_120", (12, 1), True),
    ],
)
def test_code_runs_on_its_own_architecture_s_later_cards(
    monkeypatch: pytest.MonkeyPatch, compiled: str, capability: tuple[int, int], runs: bool
) -> None:
    major, minor = capability
    machine(monkeypatch, name="card", major=major, minor=minor, total_memory=48 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: [compiled])
    if runs:
        assert gpu.choose(NEEDS).type == "cuda"
    else:
        with pytest.raises(GpuUnavailable, match="no kernels"):
            gpu.choose(NEEDS)


def test_an_image_without_its_libraries_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.delitem(sys.modules, sam.__name__)
    monkeypatch.setitem(sys.modules, encoder.__name__, None)
    with pytest.raises(WeightsInvalid, match="does not hold the sam engine"):
        engines.load("sam", folder)
