"""Embeddings in halves and in bytes."""

import zlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from container.tests.sam import tiny
from gen3d.errors import WeightsInvalid
from gen3d_inference.embeddings import restored
from gen3d_inference.engines.parts.decoder import MaskDecoder, as_tokens
from gen3d_inference.engines.parts.decoder_export import to_onnx
from gen3d_inference.engines.parts.precision import (
    PRECISIONS,
    SETTING,
    Precision,
    Storing,
    precision_wanted,
    store,
    storing_for,
)

pytestmark = pytest.mark.filterwarnings("ignore")


def tensors() -> dict[str, torch.Tensor]:
    """Channels of very different ranges."""
    random = torch.Generator().manual_seed(0)
    spread = 10 ** torch.linspace(-3, 2, 6).view(1, -1, 1, 1)
    values = torch.randn((1, 6, 20, 20), generator=random) * spread + 3 * spread
    return {"image_embed": values, "high_res_0": values.flip(1)[..., :10, :10]}


def read(stored: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """As whoever reads the file does."""
    arrays = {part: tensor.numpy() for part, tensor in stored.items()}
    return torch.from_numpy(restored(arrays, name).astype(np.float32))


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_was_stored_is_restored(precision: Precision, tokens: bool) -> None:
    given = tensors()
    stored = store(given, Storing(precision, tokens))
    for name, image in given.items():
        found = read(stored, name)
        wanted = as_tokens(image, 10) if tokens else image
        assert found.shape == wanted.shape
        off = (found - wanted).square().mean().sqrt() / wanted.std()
        assert off < {"fp32": 1e-6, "fp16": 1e-3, "u8": 0.012}[precision]


def test_components_are_far_fewer_bytes_where_channels_say_much_of_one_another() -> None:
    random = torch.Generator().manual_seed(0)
    few = torch.randn((1, 3, 32, 32), generator=random)
    mixed = torch.einsum("oc,bchw->bohw", torch.randn((64, 3), generator=random), few)
    sizes = []
    for tokens in (True, False):
        stored = store({"e": mixed}, Storing("u8", tokens))
        sizes.append(len(zlib.compress(stored["e"].numpy().tobytes())))
        found, wanted = read(stored, "e"), as_tokens(mixed, 32) if tokens else mixed
        assert (found - wanted).square().mean().sqrt() < 0.01 * wanted.std()
    assert sizes[0] < sizes[1] / 4


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_stored_lies_as_files_have_it(precision: Precision, tokens: bool) -> None:
    """Though convolutions may leave channels last."""
    given = {"e": torch.randn(1, 8, 4, 4).to(memory_format=torch.channels_last)}
    assert not given["e"].is_contiguous()
    stored = store(given, Storing(precision, tokens))
    assert all(tensor.is_contiguous() for tensor in stored.values())


@pytest.mark.parametrize("tokens", [True, False])
def test_a_channel_that_is_the_same_everywhere_stays_so(tokens: bool) -> None:
    flat = {"e": torch.full((1, 2, 3, 3), -1.25)}
    assert read(store(flat, Storing("u8", tokens)), "e").unique().tolist() == [-1.25]


def test_bfloat16_is_taken_from_the_gpu() -> None:
    given = {"e": torch.randn(1, 2, 4, 4, dtype=torch.bfloat16)}
    for precision in PRECISIONS:
        found = read(store(given, Storing(precision, tokens=True)), "e")
        wanted = as_tokens(given["e"].float(), 4)
        torch.testing.assert_close(found, wanted, atol=0.05, rtol=0.01)


def test_what_is_no_number_is_found_by_what_packs() -> None:
    given = {"e": torch.full((1, 2, 3, 3), torch.nan)}
    stored = store(given, Storing("u8", tokens=True))
    assert stored["e_scale"].isnan().any()


def test_the_decoder_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "decoder.onnx"
    path.write_bytes(to_onnx(MaskDecoder(tiny.tracker()), "sam", "SAM License"))
    monkeypatch.delenv(SETTING, raising=False)
    assert storing_for(path) == Storing("u8", tokens=True)
    monkeypatch.setenv(SETTING, "fp16")
    assert storing_for(path) == Storing("fp16", tokens=True)


def test_a_decoder_of_before_is_fed_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "decoder.onnx"
    model = onnx.load_model_from_string(to_onnx(MaskDecoder(tiny.tracker()), "sam", "SAM License"))
    onnx.helper.set_model_props(model, {"precision": "fp16"})
    onnx.save(model, path)
    monkeypatch.delenv(SETTING, raising=False)
    assert storing_for(path) == Storing("fp16", tokens=False)
    monkeypatch.setenv(SETTING, "u8")
    with pytest.raises(WeightsInvalid, match=r"as fp16.* asks for u8"):
        storing_for(path)


def test_what_is_no_precision_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "int4")
    with pytest.raises(WeightsInvalid, match=r"'int4'.*fp32, fp16, u8"):
        precision_wanted()
    (tmp_path / "decoder.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsInvalid, match="Export the decoder again"):
        storing_for(tmp_path / "decoder.onnx")
