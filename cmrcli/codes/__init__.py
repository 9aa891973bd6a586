"""Binary codes: how vectors become packed bits, how the nearest are found, and what that costs in recall.

Knows numpy and `cmrcli.errors` only.
"""

from cmrcli.codes.codebook import Codebook
from cmrcli.codes.fitting import fit, fit_sign
from cmrcli.codes.hamming import nearest, nearest_batch

__all__ = ["Codebook", "fit", "fit_sign", "nearest", "nearest_batch"]
