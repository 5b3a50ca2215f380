"""Which mask is proposed for a prompt: the page's rules, on a decoder whose answers are known."""

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from gen3d.contract import EmbeddingsMeta
from gen3d.errors import InferenceFailed, NothingFound
from gen3d_inference.embeddings import _bytes
from gen3d_inference.mask_decoder import OFF, ON, Candidate, MaskDecoder, PhotoEmbeddings, Point

SIDE = 8
CLICK = Point(0.5, 0.5, ON)


def embeddings(single: str = "", **tensors: NDArray[np.generic]) -> PhotoEmbeddings:
    meta = EmbeddingsMeta(
        engine="fake",
        revision="1",
        input_width="16",
        input_height="16",
        image_width="32",
        image_height="16",
        precision="fp32",
        single_mask_index=single,
    )
    return PhotoEmbeddings({**tensors}, meta)


def model(*names: str) -> bytes:
    """Answers its embeddings as masks, whatever is asked."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (
            ("image_embed", [1, 3, SIDE, SIDE]),
            ("scores", [1, 3]),
            ("point_coords", [1, "n", 2]),
            ("mask_input", [1, 1, SIDE, SIDE]),
            *((name, [1]) for name in names),
        )
    ]
    outputs = [
        helper.make_tensor_value_info("masks", TensorProto.FLOAT, [1, 3, SIDE, SIDE]),
        helper.make_tensor_value_info("iou_scores", TensorProto.FLOAT, [1, 3]),
    ]
    nodes = [
        helper.make_node("Add", ["image_embed", "mask_input"], ["masks"]),
        helper.make_node("Identity", ["scores"], ["iou_scores"]),
    ]
    graph = helper.make_graph(nodes, "decoder", inputs, outputs)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    file: bytes = made.SerializeToString()
    return file


def decoder(
    single: str = "", sure: bool = True, scores: tuple[float, ...] = (0.9, 0.5, 0.7)
) -> MaskDecoder:
    masks = np.full((1, 3, SIDE, SIDE), -1, np.float32)
    for index in range(3):
        masks[0, index, index] = 1
    if not sure:
        masks[0, 0, 5] = 0.01
    given = embeddings(single, image_embed=masks, scores=np.array([scores], np.float32))
    return MaskDecoder(model(), given)


def row(candidate: Candidate) -> int:
    """Which of the decoder's masks it is."""
    return int((candidate.logits[:3] > 0).any(1).argmax())


@pytest.mark.parametrize(
    ("single", "sure", "points", "proposed"),
    [
        ("", True, [CLICK], 0),
        ("", True, [CLICK, CLICK], 0),
        ("0", True, [CLICK], 2),
        ("0", True, [CLICK, CLICK], 0),
        ("0", False, [CLICK, CLICK], 2),
    ],
    ids=["best", "best of two", "one click", "two clicks", "unsure"],
)
def test_the_mask_that_the_page_would_propose(
    single: str, sure: bool, points: list[Point], proposed: int
) -> None:
    assert row(decoder(single, sure).decode(points)) == proposed


def test_each_correction_sees_the_mask_before_it() -> None:
    once = decoder().decode([CLICK])
    corrected = decoder().decode([CLICK], [Point(0.1, 0.1, OFF)])
    assert np.allclose(corrected.logits, once.logits * 2)


@pytest.mark.parametrize(
    "labels", [TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64], ids=["f32", "i32", "i64"]
)
@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (TensorProto.FLOAT, np.float32),
        (TensorProto.FLOAT16, np.float16),
        (TensorProto.UINT8, np.uint8),
    ],
    ids=["float", "half", "bytes"],
)
def test_a_decoder_is_fed_what_it_declares(
    declared: int, given: type[np.generic], labels: int
) -> None:
    inputs = [
        helper.make_tensor_value_info("image_embed", declared, [1, 1, SIDE, SIDE]),
        helper.make_tensor_value_info("point_labels", labels, [1, "n"]),
    ]
    outputs = [
        helper.make_tensor_value_info("masks", TensorProto.FLOAT, [1, 1, SIDE, SIDE]),
        helper.make_tensor_value_info("iou_scores", TensorProto.FLOAT, [1, "n"]),
    ]
    nodes = [
        helper.make_node("Cast", ["image_embed"], ["masks"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["point_labels"], ["iou_scores"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(nodes, "decoder", inputs, outputs)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    image = np.arange(SIDE**2, dtype=given).reshape(1, 1, SIDE, SIDE)
    photo = embeddings(image_embed=image)
    candidate = MaskDecoder(made.SerializeToString(), photo).decode([CLICK])
    assert candidate.score == ON
    assert np.array_equal(candidate.logits, image[0, 0].astype(np.float32))


def test_where_no_subject_leads_a_click_is_asked_for() -> None:
    with pytest.raises(NothingFound, match="not clear what the photo is about"):
        decoder(scores=(0.1, 0.9, 0.2)).salient()


def test_embeddings_that_lack_an_input_are_refused() -> None:
    with pytest.raises(InferenceFailed, match="high_res_0"):
        MaskDecoder(model("high_res_0"), decoder()._embeddings).decode([CLICK])


def test_the_outline_of_what_a_text_found_lies_where_the_network_drew_it() -> None:
    soft = np.random.default_rng(0).uniform(-3, 3, (1, 64, 64)).astype(np.float32)
    read = embeddings(candidate_logits=_bytes(soft), candidate_scores=np.ones(1, np.float32)).found[
        0
    ]
    assert np.array_equal(read.logits > 0, soft[0] > 0)
    assert np.abs(read.logits - soft[0]).max() <= 1 / 16 + 1e-6
    assert abs(float((read.logits - soft[0]).mean())) < 0.01


def test_masks_of_a_text_come_best_first_at_the_photos_size() -> None:
    logits = np.full((2, SIDE, SIDE), 100, np.uint8)
    logits[1, :, :4] = 200
    found = embeddings(candidate_logits=logits, candidate_scores=np.array([0.8, 0.6], np.float32))
    assert [round(candidate.score, 1) for candidate in found.found] == [0.8, 0.6]
    mask = found.full_size(found.found[1])
    assert mask.shape == (16, 32)
    assert mask[:, :15].all()
    assert not mask[:, 17:].any()
    assert embeddings().found == []
