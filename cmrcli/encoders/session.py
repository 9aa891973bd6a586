"""One ONNX graph ready to run: quiet, offline, with stated threads, its tensors checked."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import EmbeddingError, EncoderError, display_path

if TYPE_CHECKING:
    import onnxruntime

LIGHT_RUNS = 4
"""Runs for which a graph is used as it is read; for more, it is loaded again, optimised.

Optimising and repacking the weights takes longer than a few runs of an unoptimised graph: the bundled text tower
answers its first query 25 ms sooner without, in 100 MB instead of 150.
"""

FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")
SILENT = 4  # ONNX Runtime's "fatal"; its errors reach us as exceptions


def usable_cpus() -> int:
    """Processors that this process may use: what `taskset` leaves, not what the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Graph:
    """A session with the names, types and shapes it offers."""

    def __init__(self, path: Path, tower: str, threads: int) -> None:
        """Loads the graph.

        Args:
            path: the ONNX file.
            tower: "image" or "text", for messages.
            threads: of one run; 0: every usable CPU.

        Raises:
            EncoderError: not an ONNX graph, or one that this ONNX Runtime cannot run.
        """
        self.path = path
        self.tower = tower
        self._threads = threads
        self._light_runs = LIGHT_RUNS
        self._lock = threading.Lock()
        session = _load(path, threads, light=True)
        self.inputs = {one.name: one for one in session.get_inputs()}
        self.outputs = {one.name: one for one in session.get_outputs()}
        self._session: onnxruntime.InferenceSession | None = session

    def require(self, inputs: Mapping[str, str], output: str, dim: int) -> None:
        """Checks that the graph takes exactly these inputs and offers this output.

        Args:
            inputs: name -> element type as ONNX Runtime writes it, "tensor(int64)".
            output: its name.
            dim: the last axis of the output, where the graph states it.

        Raises:
            EncoderError: with the list of what the graph offers.
        """
        for name, element in inputs.items():
            if name not in self.inputs:
                raise self._misnamed(f"no input named {name!r}", "input")
            if self.inputs[name].type != element:
                found = self.inputs[name].type
                raise self._misnamed(f"its input {name!r} takes {found}, not {element}", "input")
        unnamed = sorted(set(self.inputs) - set(inputs))
        if unnamed:
            needs = ", ".join(map(repr, unnamed))
            raise self._misnamed(f"it needs {needs} too, which model.toml does not name", "input")
        if output not in self.outputs:
            raise self._misnamed(f"no output named {output!r}", "output")
        offered = self.outputs[output]
        if offered.type not in FLOATS:
            raise self._misnamed(f"its output {output!r} is {offered.type}, not floating point", "output")
        last = offered.shape[-1] if offered.shape else None
        if isinstance(last, int) and last not in (0, dim):
            raise self._misnamed(f"its output {output!r} has {last} dimensions, not {dim}", "output")

    def axis(self, name: str, axis: int) -> int | None:
        """Length of an input's axis; None where the graph leaves it open."""
        shape = self.inputs[name].shape
        length = shape[axis] if axis < len(shape) else None
        return length if isinstance(length, int) and length > 0 else None

    def expect(self, runs: int) -> None:
        """Says how many runs come now, so that a graph with many before it is optimised first."""
        with self._lock:
            light_before = self._light_runs >= 0
            self._light_runs -= runs
            if light_before and self._light_runs < 0:
                self._session = None  # both at once would need twice the memory; the next run loads it

    def run(self, feeds: Mapping[str, NDArray[np.generic]], output: str) -> NDArray[np.float32]:
        """The output as float32.

        Raises:
            EncoderError: the graph refuses its inputs, or can no longer be loaded.
        """
        with self._lock:
            if self._session is None:
                self._session = _load(self.path, self._threads, light=False)
            session = self._session
        try:
            (values,) = session.run([output], dict(feeds))
        except Exception as error:  # ONNX Runtime's own classes share no root
            shapes = ", ".join(f"{name} {values.dtype}{list(values.shape)}" for name, values in feeds.items())
            raise EncoderError(
                f"{display_path(self.path)} does not run on {shapes}: {_first_line(error)}",
                f"compare [{self.tower}] of model.toml with the model's own description",
            ) from None
        return np.asarray(values, dtype=np.float32)

    def _misnamed(self, problem: str, direction: str) -> EncoderError:
        offered = self.inputs if direction == "input" else self.outputs
        listed = ", ".join(f"{one.name!r} {one.type} {one.shape}" for one in offered.values())
        return EncoderError(
            display_path(f"{display_path(self.path)}: {problem}; {direction}s of the graph: {listed}"),
            f"correct [{self.tower}] of model.toml",
        )


def unit_rows(vectors: NDArray[np.float32], dim: int, path: Path) -> NDArray[np.float32]:
    """Rows of length 1, (n, dim).

    Raises:
        EmbeddingError: another shape, a NaN or infinite value, or a row of zeros.
    """
    remedy = f"python -m cmrcli.encoders.selftest {display_path(path.parent)}"
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        shape = " x ".join(map(str, vectors.shape))
        raise EmbeddingError(f"{display_path(path)} gives vectors of shape {shape}, not n x {dim}", remedy)
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    bad = int(np.count_nonzero(~np.isfinite(lengths) | (lengths == 0)))
    if bad:
        raise EmbeddingError(
            f"{display_path(path)} gives NaN, infinite or all-zero vectors ({bad} of {len(vectors)})", remedy
        )
    return np.asarray(vectors / lengths, dtype=np.float32)


def batches(n: int, size: int) -> Sequence[slice]:
    """Slices of at most `size` that cover 0..n."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _load(path: Path, threads: int, light: bool) -> onnxruntime.InferenceSession:
    """The session; a light one is neither optimised nor repacked, unless it cannot be loaded so."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(SILENT)
    onnxruntime.disable_telemetry_events()  # nothing is sent on any platform
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = threads or usable_cpus()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if light:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes share no root
        if light:
            return _load(path, threads, light=False)
        raise EncoderError(
            f"{display_path(path)} is not an ONNX graph that can be run here: {_first_line(error)}",
            "fetch the file again; python -m cmrcli.encoders.selftest FOLDER checks all files of an encoder",
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return display_path(lines[0])[:300]
