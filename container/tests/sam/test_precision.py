"""Embeddings in halves and in bytes."""

from pathlib import Path

import pytest
import torch

from container.tests.sam import tiny
from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.parts.decoder import MaskDecoder
from gen3d_inference.engines.parts.decoder_export import to_onnx
from gen3d_inference.engines.parts.precision import (
    PRECISIONS,
    SETTING,
    Precision,
    precision_of,
    precision_wanted,
    restore,
    store,
    stored_names,
)

pytestmark = pytest.mark.filterwarnings("ignore")


def tensors() -> dict[str, torch.Tensor]:
    """Channels of very different ranges."""
    random = torch.Generator().manual_seed(0)
    spread = 10 ** torch.linspace(-3, 2, 6).view(1, -1, 1, 1)
    values = torch.randn((1, 6, 20, 30), generator=random) * spread + 3 * spread
    return {"image_embed": values, "high_res_0": values.flip(1)[..., :10]}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_was_stored_is_restored(precision: Precision) -> None:
    given = tensors()
    stored = store(given, precision)
    assert tuple(stored) == stored_names(tuple(given), precision)
    for name, tensor in zip(given, restore(stored, tuple(given)), strict=True):
        steps = given[name].amax((2, 3), True) - given[name].amin((2, 3), True)
        most = {"fp32": 0 * steps, "fp16": given[name].abs() * 2**-11, "u8": steps / 255 / 2}
        assert tensor.dtype == torch.float32
        assert ((tensor - given[name]).abs() <= most[precision] * 1.001 + 1e-7).all()


def test_bytes_are_a_fourth() -> None:
    def size(precision: Precision) -> int:
        return sum(t.nbytes for t in store({"e": torch.randn(1, 8, 64, 64)}, precision).values())

    assert size("fp16") == size("fp32") / 2
    assert size("u8") == size("fp32") / 4 + 8 * 2 * 4


def test_a_channel_that_is_the_same_everywhere_stays_so() -> None:
    flat = {"e": torch.full((1, 2, 3, 3), -1.25)}
    assert torch.equal(restore(store(flat, "u8"), ("e",))[0], flat["e"])


def test_bfloat16_is_taken_from_the_gpu() -> None:
    given = {"e": torch.randn(1, 2, 4, 4, dtype=torch.bfloat16)}
    for precision in PRECISIONS:
        (tensor,) = restore(store(given, precision), ("e",))
        torch.testing.assert_close(tensor, given["e"].float(), atol=0.02, rtol=0.01)


def test_the_decoder_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "decoder.onnx"
    path.write_bytes(to_onnx(MaskDecoder(tiny.tracker()), "u8", "sam", "SAM License"))
    monkeypatch.delenv(SETTING, raising=False)
    assert precision_wanted() == "fp16"
    assert precision_of(path) == "u8"
    monkeypatch.setenv(SETTING, "u8")
    assert precision_of(path) == "u8"
    monkeypatch.setenv(SETTING, "fp16")
    with pytest.raises(WeightsInvalid, match=r"as u8.* asks for fp16"):
        precision_of(path)


def test_what_is_no_precision_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "int4")
    with pytest.raises(WeightsInvalid, match=r"'int4'.*fp32, fp16, u8"):
        precision_wanted()
    (tmp_path / "decoder.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsInvalid, match="Export the decoder again"):
        precision_of(tmp_path / "decoder.onnx")
