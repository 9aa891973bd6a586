"""The encoder that an index was most likely made with, loaded while the index opens."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cmrcli.encoders.dual import DualEncoder


class EncoderGuess:
    """Loads an encoder's text tower in a thread of its own, from the moment this object is made.

    Saves a one-shot search a tenth of a second on two processors. A wrong guess costs that much and no more.
    """

    def __init__(self, wish: str | Path | None, threads: int) -> None:
        self._wish, self._threads = wish, threads
        self._encoder: DualEncoder | None = None
        # Not a daemon: the interpreter waits for it before it takes itself apart. A thread that comes back from
        # native code after that ends the process with SIGABRT.
        self._thread = threading.Thread(target=self._load, name="cmrcli-encoder", daemon=False)
        self._thread.start()

    def encoder(self, digest: str) -> DualEncoder | None:
        """The guessed encoder if it is the one of this digest and could be loaded. Waits for it."""
        self.join()
        right = self._encoder is not None and self._encoder.manifest.digest == digest
        return self._encoder if right else None

    def join(self) -> None:
        """Waits until nothing is being loaded any more."""
        self._thread.join()

    def _load(self) -> None:
        # Whatever goes wrong is said when the encoder is asked for by name: this one is only a guess.
        with contextlib.suppress(Exception):
            from cmrcli.encoders.dual import DualEncoder
            from cmrcli.encoders.locate import resolve
            from cmrcli.encoders.manifest import load_manifest

            encoder = DualEncoder(load_manifest(resolve(self._wish)), threads=self._threads)
            encoder.prepare_text()
            self._encoder = encoder
