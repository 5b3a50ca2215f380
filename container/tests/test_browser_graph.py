"""A decoder's file as the browser's runtimes need it, and the same answers."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gen3d_inference.engines.parts.browser_graph import for_browsers
from gen3d_inference.engines.parts.float16_weights import store_float16

SIDE, CHANNELS = 5, (6, 7, 9, 18, 3, 12)
RANDOM = np.random.default_rng(0)


def convolutions() -> onnx.ModelProto:
    """Of every number of channels, over an input of halves that a double is added to."""
    shape = [1, max(CHANNELS), SIDE, SIDE]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT16, shape)
    double = numpy_helper.from_array(np.full((1, 1, 1, 1), 0.25), "double")
    nodes = [
        helper.make_node("Cast", ["x"], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("Constant", [], ["constant"], value=double),
        helper.make_node("Add", ["wide", "constant"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["all"], to=TensorProto.FLOAT),
    ]
    constants = [numpy_helper.from_array(np.array([n]), f"{n}") for n in {0, 1, *CHANNELS}]
    outputs = []
    for n in CHANNELS:
        weight = RANDOM.standard_normal((8, n, 3, 3)).astype(np.float32)
        constants.append(numpy_helper.from_array(weight, f"weight{n}"))
        nodes.append(helper.make_node("Slice", ["all", "0", f"{n}", "1"], [f"x{n}"]))
        nodes.append(helper.make_node("Conv", [f"x{n}", f"weight{n}"], [f"y{n}"], pads=[1] * 4))
        outputs.append(
            helper.make_tensor_value_info(f"y{n}", TensorProto.FLOAT, [1, 8, SIDE, SIDE])
        )
    graph = helper.make_graph(nodes, "convolutions", [given], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


def answers(model: onnx.ModelProto, x: NDArray[np.generic]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found: list[NDArray[np.float32]] = session.run(None, {"x": x})
    return found


def channels(model: onnx.ModelProto) -> list[int]:
    """Of each convolution's input, by its weights."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {t.name: list(t.dims) for t in inferred.initializer}
    for value in inferred.value_info:
        shapes[value.name] = [side.dim_value for side in value.type.tensor_type.shape.dim]
    return [shapes[node.input[1]][1] for node in model.graph.node if node.op_type == "Conv"]


def types(model: onnx.ModelProto) -> set[int]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    constants = [a.t for n in inferred.node for a in n.attribute if a.name == "value"]
    values = [*inferred.value_info, *inferred.input]
    return {t.data_type for t in [*inferred.initializer, *constants]} | {
        value.type.tensor_type.elem_type for value in values
    }


def test_the_answers_stay() -> None:
    model = convolutions()
    for above in (10**6, 0):  # weights as they are, and in halves
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        store_float16(changed, above)
        x = RANDOM.standard_normal((1, max(CHANNELS), SIDE, SIDE)).astype(np.float16)
        before = answers(changed, x)
        for_browsers(changed)
        onnx.checker.check_model(changed, full_check=True)
        after = answers(changed, x.astype(np.float32))
        for ours, theirs in zip(after, before, strict=True):
            assert np.abs(ours - theirs).max() < 1e-4
        assert channels(changed) == [8, 7, 12, 20, 3, 12]
        assert TensorProto.DOUBLE not in types(changed)


def test_the_lite_decoder_is_one_that_browsers_can_run(weights_folder: Path) -> None:
    model = onnx.load(weights_folder / "decoder.onnx")
    assert TensorProto.DOUBLE not in types(model)
    assert {i.type.tensor_type.elem_type for i in model.graph.input} == {TensorProto.FLOAT}
    assert not [n for n in channels(model) if n % 3 == 0 and n % 4]
