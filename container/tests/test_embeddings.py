"""The embeddings file, read as the browser reads it: a JSON header, then bytes."""

import gzip
import json
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gen3d.contract import EmbeddingsMeta
from gen3d.errors import InferenceFailed
from gen3d_inference import embeddings
from gen3d_inference.engines.interface import Candidates, Embeddings

META = EmbeddingsMeta(
    engine="lite",
    revision="0123456789ab",
    input_width="448",
    input_height="448",
    image_width="600",
    image_height="400",
    precision="fp16",
)


def of(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def read(file: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    file = gzip.decompress(file)
    (length,) = struct.unpack_from("<Q", file)
    header = json.loads(file[8 : 8 + length])
    meta = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        data = file[8 + length + start : 8 + length + end]
        dtype = {"F16": "<f2", "F32": "<f4", "U8": "u1"}[entry["dtype"]]
        tensors[name] = np.frombuffer(data, dtype).reshape(entry["shape"])
    return tensors, meta


@pytest.mark.parametrize(("precision", "dtype"), [("fp16", np.float16), ("fp32", np.float32)])
def test_tensors_come_back_in_the_precision_that_is_named(
    precision: str, dtype: type[np.generic]
) -> None:
    rng = np.random.default_rng(0)
    given = {
        "image_embed": rng.normal(size=(1, 4, 5, 6)).astype(np.float32),
        "high_res": rng.normal(size=(1, 2, 10, 12)).astype(np.float32)[:, :, ::2],
    }
    meta = META.model_copy(update={"precision": precision})
    tensors, _ = read(embeddings.pack(Embeddings(given, meta)))
    assert tensors.keys() == given.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == dtype
        assert np.array_equal(tensor, given[name].astype(dtype))


def test_floats_become_bytes_that_stand_for_them() -> None:
    spread = np.array([0.001, 1, 50, 3, 0], np.float32).reshape(1, 5, 1, 1)
    given = {"image_embed": of((1, 5, 20, 30)) * spread - 1.25}
    file = embeddings.pack(Embeddings(given, META.model_copy(update={"precision": "u8"})))
    tensors, _ = read(file)
    assert tensors["image_embed"].dtype == np.uint8
    assert tensors["image_embed"].shape == given["image_embed"].shape
    assert tensors["image_embed_scale"].shape == (1, 5, 1, 1)
    stored = embeddings.restored(tensors, "image_embed").astype(np.float32)
    off = np.abs(stored - given["image_embed"])
    assert (off <= tensors["image_embed_scale"] * 0.501).all()
    assert off[:, 4].max() == 0


def test_components_are_turned_back() -> None:
    rows = of((7, 4))
    first, second = (np.linalg.qr(of((2, 2), seed))[0] for seed in (1, 2))
    scale, offset = rows[:4, :1], rows[1:5, 1:2]
    tensors: dict[str, NDArray[Any]] = {
        "x": np.arange(28, dtype=np.uint8).reshape(4, 7),
        "x_scale": scale,
        "x_offset": offset,
        "x_basis": np.stack([first, second]),
    }
    values = tensors["x"] * scale + offset
    expected = np.concatenate([values[:2].T @ first, values[2:].T @ second], 1)
    restored = embeddings.restored(tensors, "x")
    assert restored.shape == (1, 7, 4)
    np.testing.assert_allclose(restored[0], expected, rtol=1e-5)


@pytest.mark.parametrize("size", [0, 10, 1_200_000])
def test_parts_are_one_gzip_file(size: int) -> None:
    given: dict[str, NDArray[Any]] = {"image_embed": np.arange(size).astype(np.uint8)}
    file = embeddings.pack(Embeddings(given, META.model_copy(update={"precision": "u8"})))
    tensors, _ = read(file)
    assert np.array_equal(tensors["image_embed"], given["image_embed"])
    assert embeddings.uncompressed(file, 10**7) == gzip.decompress(file)
    assert len(embeddings.uncompressed(file, 8)) == 8
    assert embeddings.uncompressed(b"as it is", 10) == b"as it is"


def test_bytes_stay_as_they_are() -> None:
    given: dict[str, NDArray[Any]] = {
        "image_embed": np.arange(6, dtype=np.uint8),
        "image_embed_scale": np.full(1, 0.1, np.float32),
    }
    meta = META.model_copy(update={"precision": "u8"})
    tensors, _ = read(embeddings.pack(Embeddings(given, meta)))
    for name, tensor in tensors.items():
        assert tensor.dtype == given[name].dtype
        assert np.array_equal(tensor, given[name])


def test_strided_tensors_are_written_as_they_read() -> None:
    plain = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
    for strided in (plain.transpose(0, 2, 1), plain[..., ::2], plain[:, ::-1]):
        assert not strided.flags.c_contiguous
        tensors, _ = read(embeddings.pack(Embeddings({"image_embed": strided}, META)))
        assert np.array_equal(tensors["image_embed"], strided)


def test_candidates_lie_beside_the_decoder_s_inputs() -> None:
    logits = np.array([[[-40, -1, -0.01, 0]], [[0.01, 0.125, 1, 40]]], np.float32)
    candidates = Candidates(logits, np.array([0.9, 0.1], np.float32), "cup")
    given = {"image_embed": np.ones((1, 1), np.float32)}
    tensors, _ = read(embeddings.pack(Embeddings(given, META, candidates)))
    assert tensors.keys() == {"image_embed", "candidate_logits", "candidate_scores"}
    assert tensors["candidate_logits"].dtype == np.uint8
    assert tensors["candidate_logits"].tolist() == [[[0, 120, 128, 128]], [[129, 129, 136, 255]]]
    assert np.array_equal(tensors["candidate_scores"], candidates.scores)


def test_no_candidates_are_an_answer_too() -> None:
    nothing = Candidates(np.zeros((0, 3, 4), np.float32), np.zeros(0, np.float32), "cup")
    given = {"image_embed": np.ones((1, 1), np.float32)}
    tensors, _ = read(embeddings.pack(Embeddings(given, META, nothing)))
    assert tensors["candidate_logits"].shape == (0, 3, 4)
    assert tensors["candidate_scores"].shape == (0,)


def test_metadata_is_the_contract_s() -> None:
    given = {"image_embed": np.ones((1, 1), np.float32)}
    _, meta = read(embeddings.pack(Embeddings(given, META)))
    assert EmbeddingsMeta.model_validate(meta) == META


@pytest.mark.parametrize(
    ("precision", "value"),
    [("fp16", np.nan), ("fp16", np.inf), ("fp16", 1e6), ("u8", np.nan), ("u8", np.inf)],
)
def test_values_that_the_file_cannot_hold_are_refused(precision: str, value: float) -> None:
    given = {"image_embed": of((1, 2, 3, 3))}
    given["image_embed"][0, 1, 1, 1] = value
    meta = META.model_copy(update={"precision": precision})
    with pytest.raises(InferenceFailed):
        embeddings.pack(Embeddings(given, meta))
