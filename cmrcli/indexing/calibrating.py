"""Makes the calibration of an index at the end of a run that changed it much."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmrcli.calibration.null import SAMPLE, calibrate

if TYPE_CHECKING:
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.store import Writer

SEED = 0
POOL = 8  # vectors looked at for each one wanted: enough that both modalities have their share


def bring_up_to_date(writer: Writer, make_encoder: Callable[[], DualEncoder]) -> bool:
    """Whether a calibration was due and has been made. The encoder is loaded only then.

    Raises:
        EncoderError; IndexInaccessible: the catalog cannot be written.
    """
    if not writer.calibration_due():
        return False
    fragment_ids, vectors = writer.sample_vectors(2 * SAMPLE * POOL, SEED)
    if not len(vectors):  # codes alone are kept
        return False
    bank = make_encoder().encode_texts(query_bank())
    passages = writer.passages_among(fragment_ids.tolist())
    spoken = np.array([number in passages for number in fragment_ids.tolist()], dtype=np.bool_)
    samples = [vectors[spoken == is_passage][:SAMPLE] for is_passage in (False, True)]
    writer.put_calibration(calibrate(bank, samples[0], samples[1]).to_bytes())
    return True


def query_bank() -> list[str]:
    """SAMPLE generic queries: English names, Japanese names and short descriptions of engineering terms, in thirds."""
    from cmrcli.lexicon import load_terms

    terms = load_terms()
    chosen: NDArray[np.intp] = np.random.default_rng(SEED).permutation(len(terms))[:SAMPLE]
    fields = ("en", "ja", "definition")
    return [str(getattr(terms[number], fields[place % 3])) for place, number in enumerate(chosen.tolist())]
