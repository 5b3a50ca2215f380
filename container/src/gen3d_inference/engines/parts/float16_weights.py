"""Keeps an ONNX file's weights as float16, in half the bytes. For exports alone: it needs onnx."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def store_float16(model: onnx.ModelProto, above: int) -> None:
    """Store float32 constants of more than `above` values as float16.

    Each gets a Cast in front of its readers, so that it is computed with in float32.
    """
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= above:
            continue
        stored = f"{tensor.name}_half"
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
