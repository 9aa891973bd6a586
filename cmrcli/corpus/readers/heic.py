"""HEIC and HEIF (phone photos) through libheif: the primary picture, upright."""

from __future__ import annotations

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import raster
from cmrcli.corpus.readers.images import Decoding, refuse_no_size
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.source import Source

_WORKSPACE = 2  # libheif holds the planes and the RGB picture at once


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    if first > 1:
        return ReadResult("heic")
    import pi_heif

    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = False
    pi_heif.options.DEPTH_IMAGES = False
    pi_heif.options.AUX_IMAGES = False
    with Decoding():
        source.file.seek(0)
        pictures = pi_heif.open_heif(source.file, convert_hdr_to_8bit=True)
        picture = pictures[pictures.primary_index]
        width, height = picture.size
        refuse_no_size(width, height)
        raster.refuse_bomb(raster.decoded_bytes(picture.mode, width, height) * _WORKSPACE, width, height, limits)
        image = picture.to_pillow()  # turned already, by the file's own transformation
        small = raster.to_small(image, limits.longest_edge_px)
    return ReadResult("heic", [ReaderItem(None, image=small, width_px=image.width, height_px=image.height)])
