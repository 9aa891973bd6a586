"""ONNX weights stored as 8-bit integers, one scale per output channel or table row; the arithmetic stays float32.

The graph multiplies the integers back once, when ONNX Runtime folds constants while loading (a token table instead row
by row, as it is read). So the vectors do not depend on which integer instructions a CPU has, and nothing is lost but
the rounding of the weights.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

SMALLEST = 16_384  # elements; smaller tensors stay as they are
CHANNEL_AXIS = {"Conv": 0, "Gemm": 0, "MatMul": -1}  # a Gemm as PyTorch writes it: weight (out, in), transposed


def compress(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with its large weights in 8 bits; matrices that shrink images stay as they are."""
    graph = model.graph
    users = {name: node for node in graph.node for name in node.input}
    kept, made = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        node = users.get(tensor.name)
        if (
            node is None
            or array.dtype != np.float32
            or array.size < SMALLEST
            or "shrink" in tensor.name
            or "small" in tensor.name
        ):
            kept.append(tensor)
        elif node.op_type == "Gather":
            integers, scales = _round(array, 0)
            kept += _tensors(tensor.name, integers, scales)
            _read_rows(graph, node, tensor.name)
        elif node.op_type in CHANNEL_AXIS:
            integers, scales = _round(array, CHANNEL_AXIS[node.op_type] % array.ndim)
            kept += _tensors(tensor.name, integers, scales)
            made += _restore(f"{tensor.name}_i8", f"{tensor.name}_scale", tensor.name)
        else:
            kept.append(tensor)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = made + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def _round(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    others = tuple(number for number in range(array.ndim) if number != axis)
    scales = np.maximum(np.abs(array).max(axis=others, keepdims=True), 1e-12) / 127
    return np.clip(np.rint(array / scales), -127, 127).astype(np.int8), scales.astype(np.float32)


def _tensors(name: str, integers: np.ndarray, scales: np.ndarray) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(integers, f"{name}_i8"), numpy_helper.from_array(scales, f"{name}_scale")]


def _restore(integers: str, scales: str, result: str) -> list[onnx.NodeProto]:
    cast = helper.make_node("Cast", [integers], [f"{result}_f32"], to=onnx.TensorProto.FLOAT)
    return [cast, helper.make_node("Mul", [f"{result}_f32", scales], [result])]


def _read_rows(graph: onnx.GraphProto, node: onnx.NodeProto, table: str) -> None:
    """Gather(table) becomes Gather(integers) x Gather(scales), so that the whole table is never made float."""
    place, result = list(graph.node).index(node), node.output[0]
    rows = helper.make_node("Gather", [f"{table}_i8", node.input[1]], [f"{result}_rows_i8"], axis=0)
    scale = helper.make_node("Gather", [f"{table}_scale", node.input[1]], [f"{result}_rows_scale"], axis=0)
    new = [rows, scale, *_restore(f"{result}_rows_i8", f"{result}_rows_scale", result)]
    graph.node.remove(node)
    for number, made in enumerate(new):
        graph.node.insert(place + number, made)
