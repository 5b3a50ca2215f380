"""Makes an exported decoder take its embeddings as float16, as the embeddings file holds them.

``python -m container.lite.prepare_decoder EXPORTED.onnx weights/decoder.onnx`` was run once; it
needs the ``onnx`` package, which the container does not.
"""

import sys

import onnx
from onnx import TensorProto, helper

EMBEDDINGS = ("image_embed", "high_res")


def take_half(model: onnx.ModelProto, names: tuple[str, ...]) -> None:
    """Declare the named float32 inputs as float16, and cast each to float32 inside the graph."""
    graph = model.graph
    for declared in graph.input:
        if declared.name not in names:
            continue
        declared.type.tensor_type.elem_type = TensorProto.FLOAT16
        full = f"{declared.name}_fp32"
        for node in graph.node:
            for index, name in enumerate(node.input):
                if name == declared.name:
                    node.input[index] = full
        graph.node.insert(
            0, helper.make_node("Cast", [declared.name], [full], to=TensorProto.FLOAT)
        )
    onnx.checker.check_model(model)


if __name__ == "__main__":
    exported, prepared = sys.argv[1:]
    decoder = onnx.load(exported)
    take_half(decoder, EMBEDDINGS)
    onnx.save(decoder, prepared)
