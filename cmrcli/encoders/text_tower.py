"""The text tower: cleaning, tokenising, padding, running, pooling, as model.toml says."""

from __future__ import annotations

import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.manifest import TextSpec
from cmrcli.encoders.session import Graph, batches, unit_rows
from cmrcli.errors import EncoderError, display_path

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TEXTS_PER_RUN = 8  # more gains nothing on two processors and costs memory (64 tokens: 16 texts take 15 % longer each)
CHARS_PER_TOKEN = 64  # text beyond context_length times this would only cost the tokenizer's time

_PUNCTUATION = str.maketrans({**dict.fromkeys(string.punctuation, ""), "_": " "})


class TextTower:
    """Texts to unit vectors."""

    def __init__(self, spec: TextSpec, dim: int, threads: int) -> None:
        """Loads tokenizer and graph.

        Raises:
            EncoderError: files that cannot be loaded, or that do not fit the spec.
        """
        self._spec = spec
        self._dim = dim
        self._tokenizer, self._graph = _load_side_by_side(spec, threads)
        inputs = [name for name in (spec.ids, spec.mask, spec.positions, spec.token_types) if name]
        self._graph.require(dict.fromkeys(inputs, f"tensor({spec.ids_type})"), spec.output, dim)
        length = self._graph.axis(spec.ids, 1)
        if length is not None and (spec.padding != "fixed" or spec.context_length != length):
            raise EncoderError(
                f"{display_path(spec.graph.path)} takes exactly {length} tokens",
                f'write padding = "fixed" and context_length = {length} under [text] of model.toml',
            )
        self._stated_batch = 1 if spec.fixed_batch else self._graph.axis(spec.ids, 0)
        self._batch = self._stated_batch or TEXTS_PER_RUN

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """(n, dim) unit vectors in the order of the texts.

        Raises:
            EncoderError: the graph refuses its inputs.
            EmbeddingError: it gives something else than finite vectors of that dimension.
        """
        tokens = self._tokens(texts)
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        # Texts of like length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda number: len(tokens[number]))
        parts = batches(len(texts), self._batch)
        self._graph.expect(len(parts))
        for part in parts:
            numbers = order[part]
            vectors[numbers] = self._run([tokens[number] for number in numbers])
        return vectors

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        spec = self._spec
        tokens = []
        with _tokenizer_errors(spec):
            encodings = self._tokenizer.encode_batch([self._clean(text) for text in texts])
        for encoding in encodings:
            ids = encoding.ids[: spec.context_length]
            if spec.append_eos and spec.eos_id is not None and ids[-1:] != [spec.eos_id]:
                ids = [*ids[: spec.context_length - 1], spec.eos_id]
            tokens.append(ids or [spec.pad_id])
        return tokens

    def _clean(self, text: str) -> str:
        spec = self._spec
        # Names that are not UTF-8 reach us with lone surrogates, which the tokenizer cannot take.
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = text[: spec.context_length * CHARS_PER_TOKEN]
        if spec.lowercase:
            text = text.lower()
        if spec.strip_punctuation:
            text = " ".join(text.translate(_PUNCTUATION).split())
        return spec.prefix + text

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        spec, n = self._spec, len(tokens)
        rows = tokens + tokens[-1:] * ((self._stated_batch or n) - n)
        width = spec.context_length if spec.padding == "fixed" else max(map(len, rows))
        ids = np.full((len(rows), width), spec.pad_id, dtype=spec.ids_type)
        mask = np.zeros_like(ids)
        for row, one in enumerate(rows):
            ids[row, : len(one)] = one
            mask[row, : len(one)] = 1
        feeds: dict[str, NDArray[np.generic]] = {spec.ids: ids}
        if spec.mask:
            feeds[spec.mask] = mask
        if spec.positions:
            feeds[spec.positions] = np.broadcast_to(np.arange(width, dtype=spec.ids_type), ids.shape).copy()
        if spec.token_types:
            feeds[spec.token_types] = np.zeros_like(ids)
        values = self._graph.run(feeds, spec.output)
        return unit_rows(self._pool(values, ids, mask)[:n], self._dim, spec.graph.path)

    def _pool(
        self, values: NDArray[np.float32], ids: NDArray[np.integer], mask: NDArray[np.integer]
    ) -> NDArray[np.float32]:
        pooling = self._spec.pooling
        if pooling == "none" or values.ndim != 3:
            return values  # a wrong number of axes is refused with its shape afterwards
        if pooling == "mean":
            weights = mask[:, :, None].astype(np.float32)
            return np.asarray((values * weights).sum(axis=1) / weights.sum(axis=1))
        at = {
            "first": np.zeros(len(ids), dtype=np.intp),
            "last": mask.sum(axis=1) - 1,
            "eot": (ids == self._spec.eos_id).argmax(axis=1),  # the first one; CLIP pads with the same token
        }
        return np.asarray(values[np.arange(len(ids)), at[pooling]])


def _load_side_by_side(spec: TextSpec, threads: int) -> tuple[Tokenizer, Graph]:
    """Tokenizer and graph: each takes some 30 ms to import its library and load, much of it outside Python."""
    loaded: list[Graph] = []
    failed: list[BaseException] = []

    def load_graph() -> None:
        try:
            loaded.append(Graph(spec.graph.path, "text", threads))
        except BaseException as error:
            failed.append(error)

    # Not a daemon: if we are interrupted here, the interpreter waits for it before it takes itself apart.
    beside = threading.Thread(target=load_graph, name="cmrcli-graph", daemon=False)
    beside.start()
    try:
        tokenizer = _load_tokenizer(spec)
    finally:
        beside.join()
    if failed:
        raise failed[0]
    return tokenizer, loaded[0]


def _load_tokenizer(spec: TextSpec) -> Tokenizer:
    from tokenizers import Tokenizer

    with _tokenizer_errors(spec):
        tokenizer = Tokenizer.from_file(str(spec.tokenizer.path))
        tokenizer.no_padding()
        tokenizer.enable_truncation(spec.context_length)
    return tokenizer


@contextmanager
def _tokenizer_errors(spec: TextSpec) -> Iterator[None]:
    """Turns what the library raises into an EncoderError: Exception, and BaseException when it panics."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise EncoderError(
            f"{display_path(spec.tokenizer.path)} is no usable tokenizer: {display_path(str(error))[:300]}",
            "it must be a tokenizer.json of the tokenizers library; fetch the file again",
        ) from None
