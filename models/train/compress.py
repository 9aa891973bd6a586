"""ONNX weights stored in 8 bits (a token table in 4) with a scale per output and input; the arithmetic stays float32.

The graph turns the integers back into floats, once while ONNX Runtime loads it and folds constants, or at the one run
of a session that is opened for one query. So the vectors do not depend on which integer instructions a CPU has, and
nothing is lost but the rounding of the weights. A matrix is multiplied with its integers and the product scaled, which
is as exact and spares a pass over the matrix. Small tensors, and convolutions with few inputs per output, whose
rounding costs most and whose bytes are few, are kept in float16; of the label networks only the latter, for want of
room.
"""

import copy

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn

from models.train.text_tower import GROUP, STEPS_UP, stored_rows, table_scales, table_steps
from models.train.workspace import DIM

SMALLEST = 40_000  # elements; smaller tensors are kept in float16
FEW_INPUTS = 32  # of one output of a convolution: depthwise ones
HALF_FROM = 1_024  # elements; still smaller ones (biases, norms) stay float32
PRODUCTS = ("Conv", "Gemm", "MatMul")  # a Gemm as PyTorch writes it: weight (out, in), transposed


def compress(model: onnx.ModelProto, table: str = "") -> onnx.ModelProto:
    """The same model with its large weights in 8 bits, the token table of that name in 4."""
    graph = model.graph
    users = {name: node for node in graph.node for name in node.input}
    kept: list[onnx.TensorProto] = []
    made: list[onnx.NodeProto] = []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        node, name = users.get(tensor.name), tensor.name
        if node is None or array.dtype != np.float32:
            kept.append(tensor)
        elif name == table:
            kept += _pack_table(name, array)
            _read_packed(graph, node, name)
        elif node.op_type in PRODUCTS and array.ndim > 1 and _in_8_bits(name, array.size, array[0].size):
            if node.op_type == "MatMul":
                integers, scales = _round(array, array.ndim - 1)
                kept.append(numpy_helper.from_array(scales.reshape(-1), f"{name}_scale"))
                made.append(_cast(f"{name}_i8", name))
                _scale_product(graph, node, f"{name}_scale")
            else:
                loud = _loudness(array)
                integers, scales = _round(array / loud, 0)
                kept.append(numpy_helper.from_array(scales, f"{name}_scale"))
                kept.append(numpy_helper.from_array(loud, f"{name}_inputs"))
                made += [
                    _cast(f"{name}_i8", f"{name}_f32"),
                    helper.make_node("Mul", [f"{name}_f32", f"{name}_scale"], [f"{name}_even"]),
                    helper.make_node("Mul", [f"{name}_even", f"{name}_inputs"], [name]),
                ]
            kept.append(numpy_helper.from_array(integers, f"{name}_i8"))
        elif array.size >= HALF_FROM:
            kept.append(numpy_helper.from_array(array.astype(np.float16), f"{name}_f16"))
            made.append(_cast(f"{name}_f16", name))
        else:
            kept.append(tensor)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = made + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


@torch.no_grad()
def rounded(module: nn.Module) -> nn.Module:
    """A copy of the module with its weights as `compress` stores them: what the ONNX file is compared with."""
    module = copy.deepcopy(module)
    done = set[int]()
    for place, part in module.named_modules():
        for name, tensor in [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]:
            if id(tensor) in done or tensor.dtype != torch.float32:
                continue
            done.add(id(tensor))
            if isinstance(part, nn.Embedding):
                tensor.copy_(stored_rows(tensor))
                continue
            words = name.endswith("_words")
            matrix = words or (name == "weight" and isinstance(part, nn.Conv2d | nn.Linear))
            if matrix and _in_8_bits(f"{place}.{name}", tensor.numel(), tensor[0].numel()):
                loud = 1.0 if words else _loudness(tensor.numpy())
                integers, scales = _round(tensor.numpy() / loud, tensor.ndim - 1 if words else 0)
                tensor.copy_(torch.from_numpy(integers * scales * loud))
            elif tensor.numel() >= HALF_FROM:
                tensor.copy_(tensor.half().float())
    return module


def _loudness(array: np.ndarray) -> np.ndarray:
    """(1, inputs, 1...): the largest weight of each input, by which all its weights are divided before rounding.

    One scale per output serves all inputs of that output, so quiet inputs would be rounded away. After Nagel et al.
    2019, arXiv:1906.04721, who move this factor into the layer before; stored, it needs no ReLU between the two.
    """
    loud = np.abs(array).max(axis=tuple(n for n in range(array.ndim) if n != 1), keepdims=True)
    return np.where(loud > 1e-4 * loud.max(), loud, 1.0).astype(np.float32)


def _in_8_bits(name: str, size: int, inputs: int) -> bool:
    return inputs > FEW_INPUTS and size >= (HALF_FROM if name.startswith("labels.") else SMALLEST)


def _round(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    others = tuple(number for number in range(array.ndim) if number != axis)
    scales = np.maximum(np.abs(array).max(axis=others, keepdims=True), 1e-12) / 127
    return np.clip(np.rint(array / scales), -127, 127).astype(np.int8), scales.astype(np.float32)


def _cast(source: str, result: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [result], to=onnx.TensorProto.FLOAT)


def _scale_product(graph: onnx.GraphProto, node: onnx.NodeProto, scale: str) -> None:
    """A scale per output column after a MatMul."""
    result = node.output[0]
    node.output[0] = f"{result}_whole"
    place = list(graph.node).index(node)
    graph.node.insert(place + 1, helper.make_node("Mul", [node.output[0], scale], [result]))


def _pack_table(name: str, array: np.ndarray) -> list[onnx.TensorProto]:
    """(rows, 384) as (rows, 192) bytes, number n in the low half and n + 192 in the high half of byte n."""
    rows = torch.from_numpy(np.array(array))
    steps = table_steps(rows).flatten(-2).numpy().astype(np.uint8)
    scales = table_scales(rows)[..., 0].numpy().astype(np.float16)
    half = DIM // 2
    return [
        numpy_helper.from_array(steps[:, :half] | steps[:, half:] << 4, f"{name}_u4"),
        numpy_helper.from_array(scales, f"{name}_scale"),
        numpy_helper.from_array(np.array(4, np.uint8), f"{name}_shift"),
        numpy_helper.from_array(np.array(15, np.uint8), f"{name}_low"),
        numpy_helper.from_array(np.array(STEPS_UP, np.float32), f"{name}_middle"),
        numpy_helper.from_array(np.array([0, 0, DIM // GROUP, GROUP], np.int64), f"{name}_groups"),
        numpy_helper.from_array(np.array([0, 0, DIM], np.int64), f"{name}_flat"),
        numpy_helper.from_array(np.array([-1], np.int64), f"{name}_last"),
    ]


def _read_packed(graph: onnx.GraphProto, node: onnx.NodeProto, name: str) -> None:
    """Gather(table) becomes Gather(bytes), both halves of each byte, times Gather(scales): no table is made float."""
    place, ids, result = list(graph.node).index(node), node.input[1], node.output[0]
    step = f"{result}_{{}}".format
    new = [
        helper.make_node("Gather", [f"{name}_u4", ids], [step("bytes")], axis=0),
        helper.make_node("BitwiseAnd", [step("bytes"), f"{name}_low"], [step("low")]),
        helper.make_node("BitShift", [step("bytes"), f"{name}_shift"], [step("high")], direction="RIGHT"),
        helper.make_node("Concat", [step("low"), step("high")], [step("steps")], axis=-1),
        _cast(step("steps"), step("positive")),
        helper.make_node("Sub", [step("positive"), f"{name}_middle"], [step("whole")]),
        helper.make_node("Reshape", [step("whole"), f"{name}_groups"], [step("grouped")]),
        helper.make_node("Gather", [f"{name}_scale", ids], [step("scale16")], axis=0),
        _cast(step("scale16"), step("scale32")),
        helper.make_node("Unsqueeze", [step("scale32"), f"{name}_last"], [step("scale")]),
        helper.make_node("Mul", [step("grouped"), step("scale")], [step("scaled")]),
        helper.make_node("Reshape", [step("scaled"), f"{name}_flat"], [result]),
    ]
    graph.node.remove(node)
    for number, made in enumerate(new):
        graph.node.insert(place + number, made)
