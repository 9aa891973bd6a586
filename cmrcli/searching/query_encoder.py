"""From a query to its vector: the index's encoder, loaded when first needed, for words, examples and negatives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import UsageError
from cmrcli.searching.query import Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.searching.example import ExampleReader
    from cmrcli.searching.guess import EncoderGuess
    from cmrcli.store.records import EncoderIdentity

WITHOUT_WEIGHT = 0.5  # how far a negative text pushes the query vector away, of its own length
SHORTEST = 1e-6  # of a query vector: below it is nothing but what rounding left


class QueryEncoder:
    """Makes query vectors with the encoder of one index.

    Args:
        encoder: folder or name of the encoder; None finds the one the index was made with.
        threads: of the encoder; 0 for all processors.
        expect_text: words come next: their tower starts loading now, before it is known which encoder it has to be.
    """

    def __init__(self, encoder: str | Path | None, threads: int, expect_text: bool) -> None:
        self._wish = encoder
        self._threads = threads
        self._encoder: DualEncoder | None = None
        self._examples: ExampleReader | None = None
        self._guess: EncoderGuess | None = None
        if expect_text:
            from cmrcli.searching.guess import EncoderGuess

            self._guess = EncoderGuess(encoder, threads)

    def close(self) -> None:
        """Ends the process that read examples, and waits for an encoder that is being loaded."""
        if self._examples is not None:
            self._examples.close()
            self._examples = None
        if self._guess is not None:
            self._guess.join()

    def encoder(self, identity: EncoderIdentity) -> DualEncoder:
        """The encoder with this identity, the same one at every call.

        Raises:
            EncoderError: it is not there, or another one was wished for.
        """
        if self._encoder is None and self._guess is not None:
            self._encoder = self._guess.encoder(identity.digest)
        if self._encoder is None:
            from cmrcli.encoders.dual import DualEncoder
            from cmrcli.encoders.locate import matching

            manifest = matching(identity.name, identity.digest, self._wish)
            self._encoder = DualEncoder(manifest, threads=self._threads)
        return self._encoder

    def vector(self, query: Query, identity: EncoderIdentity) -> NDArray[np.float32]:
        """(dim,) float32: the mean of words and examples, pushed away from the negatives, L2-normalised.

        Raises:
            UsageError: an example that cannot be read, or nothing is left of the query. EncoderError.
        """
        import numpy as np

        encoder = self.encoder(identity)
        parts: list[NDArray[np.float32]] = []
        texts = [*([query.text] if query.text else []), *query.without]
        encoded = encoder.encode_texts(texts) if texts else np.empty((0, identity.dim), np.float32)
        if query.text:
            parts.append(encoded[0])
        if query.like:
            parts += [self.examples(identity).vector(example) for example in query.like]
        vector: NDArray[np.float32] = np.mean(parts, axis=0)
        for negative in encoded[len(texts) - len(query.without) :]:
            vector = vector - WITHOUT_WEIGHT * negative
        length = float(np.linalg.norm(vector))
        if length < SHORTEST:
            raise UsageError("the query has no direction left", "say less of what it is not")
        return (vector / length).astype(np.float32)

    def examples(self, identity: EncoderIdentity) -> ExampleReader:
        """What reads the query's examples for the encoder with this identity."""
        if self._examples is None:
            from cmrcli.searching.example import ExampleReader

            self._examples = ExampleReader(self.encoder(identity))
        return self._examples
