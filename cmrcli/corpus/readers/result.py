"""What reading one file, or one stretch of its pages, gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmrcli.corpus.items import Limits, ReaderItem

_BYTES_PER_PIXEL = 4  # of RGB in Pillow's memory


@dataclass(slots=True)
class ReadResult:
    """Items of one file.

    Attributes:
        format: a value of FORMATS: what the file really is, whatever its extension says.
        items: in page order; a page that could not be read is missing.
        more_from: the first page that `count` left out, or that would have taken the pictures of one result
            beyond a fifth of
            the memory limit; None when there is none.
        notes: what was left out of the file as a whole ("page 3 could not be read: ...").
    """

    format: str
    items: list[ReaderItem] = field(default_factory=list)
    more_from: int | None = None
    notes: list[str] = field(default_factory=list)

    def is_full(self, limits: Limits) -> bool:
        """Whether the pictures take so much that the rest is for another call."""
        pixels = sum(item.image.width * item.image.height for item in self.items if item.image is not None)
        return pixels * _BYTES_PER_PIXEL > limits.memory_bytes // 5
