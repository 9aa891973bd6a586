"""Padding moved into the convolutions of an exported graph.

"Same" padding of a stride of two has one row more below than above. The exporter writes it as an operator of its own
whose sizes are computed from the shape of its input, and ONNX Runtime has to leave its blocked layout, pad, and go back
into it before every such convolution: a third of the time of an image. A convolution can pad unevenly by itself, and
for an image tower of one input size the numbers are constants.
"""

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper


def fold_padding(model: onnx.ModelProto, sample: NDArray[np.uint8]) -> onnx.ModelProto:
    """The same model, computing the same, without Pad operators in front of convolutions.

    Args:
        model: with one input, whose size is fixed but for the number of images; changed in place.
        sample: an input, by which the sizes are found out.

    Raises:
        ValueError: a Pad that is no zero padding in front of one convolution without its own.
    """
    graph = model.graph
    pads = [node for node in graph.node if node.op_type == "Pad"]
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for pad, amounts in zip(pads, _amounts(model, [pad.input[1] for pad in pads], sample), strict=True):
        conv = users[pad.output[0]][0]
        own = next((list(a.ints) for a in conv.attribute if a.name == "pads"), [0, 0, 0, 0])
        around = amounts.reshape(2, -1)  # (before, after) x axes: images, channels, height, width
        plain = len(users[pad.output[0]]) == 1 and conv.op_type == "Conv" and not any(own) and not around[:, :2].any()
        if not plain:
            raise ValueError(f"{pad.name} is no padding that a convolution can do")
        kept = [attribute for attribute in conv.attribute if attribute.name != "pads"]
        del conv.attribute[:]
        conv.attribute.extend([*kept, helper.make_attribute("pads", around[:, 2:].flatten().tolist())])
        conv.input[0] = pad.input[0]
        graph.node.remove(pad)
    _drop_unused(graph)
    onnx.checker.check_model(model)
    return model


def _amounts(model: onnx.ModelProto, names: list[str], sample: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """What the graph computes for these names of int64 tensors."""
    if not names:
        return []
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    asked.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.INT64, None) for name in names)
    runner = onnxruntime.InferenceSession(asked.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(runner.run(names, {model.graph.input[0].name: sample}))


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Removes the nodes whose results nobody reads: here, those that computed the sizes."""
    needed = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):  # in the order of computation, as ONNX requires
        if needed.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            needed.update(node.input)
