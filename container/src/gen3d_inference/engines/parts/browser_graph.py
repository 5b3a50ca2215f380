"""Makes an ONNX file one that every runtime in a browser computes alike. It needs onnx.

For decoders, as they are exported. onnxruntime-web 1.30.0's WebGPU binary lacks kernels for doubles
and refuses a file that holds any; it needs `shader-f16` for inputs of halves, which many adapters
lack; and its convolution answers wrongly, without a word, for 6, 9, 18 … input channels (see
`_pad_convolutions`).
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_TOGETHER = 4
"""Channels that a GPU's kernels read at a time."""


def for_browsers(model: onnx.ModelProto) -> None:
    """Keep what a file answers, to rounding, in single precision and by sound kernels, in place.

    Inputs of halves become float32; constants and casts of doubles float32.
    """
    _without_doubles(model.graph)
    _without_half_inputs(model.graph)
    _pad_convolutions(model.graph)


def _without_doubles(graph: onnx.GraphProto) -> None:
    for value in graph.value_info:
        if value.type.tensor_type.elem_type == TensorProto.DOUBLE:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in graph.initializer:
        tensor.CopyFrom(_single(tensor))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                attribute.t.CopyFrom(_single(attribute.t))
            elif node.op_type == "Cast" and attribute.i == TensorProto.DOUBLE:
                attribute.i = TensorProto.FLOAT


def _single(tensor: TensorProto) -> TensorProto:
    if tensor.data_type != TensorProto.DOUBLE:
        return tensor
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def _without_half_inputs(graph: onnx.GraphProto) -> None:
    halves = set()
    for declared in graph.input:
        if declared.type.tensor_type.elem_type == TensorProto.FLOAT16:
            declared.type.tensor_type.elem_type = TensorProto.FLOAT
            halves.add(declared.name)
    same = {}
    for node in list(graph.node):
        if node.op_type == "Cast" and node.input[0] in halves:
            same[node.output[0]] = node.input[0]
            graph.node.remove(node)
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)


def _pad_convolutions(graph: onnx.GraphProto) -> None:
    """Give convolutions that read threes of channels some more, of nothing.

    Where the input's channels are a multiple of three and none of four, and the output's one of
    four, the kernel of onnxruntime-web's WebGPU provider reads three at a time and mixes them up.
    """
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:  # what is stored in halves
        if node.op_type == "Cast" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    for index, node in reversed(list(enumerate(graph.node))):
        if node.op_type != "Conv" or node.input[1] not in weights:
            continue
        stored = weights[node.input[1]]
        weight = numpy_helper.to_array(stored)
        channels = weight.shape[1]
        if channels % 3 or channels % _TOGETHER == 0 or channels == 3:
            continue
        more = -channels % _TOGETHER
        wider = np.pad(weight, [(0, 0), (0, more), *[(0, 0)] * (weight.ndim - 2)])
        stored.CopyFrom(numpy_helper.from_array(wider, stored.name))
        pads, padded = f"{node.output[0]}_pads", f"{node.output[0]}_padded"
        sides = np.zeros((2, weight.ndim), np.int64)
        sides[1, 1] = more
        graph.initializer.append(numpy_helper.from_array(sides.ravel(), pads))
        graph.node.insert(index, helper.make_node("Pad", [node.input[0], pads], [padded]))
        node.input[0] = padded
