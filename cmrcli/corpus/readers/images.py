"""Pictures through Pillow: an explicit list of its decoders, each tried only on what looks like its format.

Never EPS (it starts Ghostscript), never WMF, nor the scientific containers. Animations count as one item: the
first frame.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING

from cmrcli.corpus.items import Limits, ReaderItem
from cmrcli.corpus.readers import raster
from cmrcli.corpus.readers.result import ReadResult
from cmrcli.corpus.readers.sniff import sniff
from cmrcli.corpus.readers.source import Source
from cmrcli.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL.Image import Image

PLUGINS: dict[str, tuple[str, str]] = {  # format -> Pillow's name, the module that holds it
    "jpeg": ("JPEG", "JpegImagePlugin"),
    "png": ("PNG", "PngImagePlugin"),
    "gif": ("GIF", "GifImagePlugin"),
    "webp": ("WEBP", "WebPImagePlugin"),
    "bmp": ("BMP", "BmpImagePlugin"),
    "avif": ("AVIF", "AvifImagePlugin"),
    "jpeg2000": ("JPEG2000", "Jpeg2KImagePlugin"),
    "tga": ("TGA", "TgaImagePlugin"),
    "ppm": ("PPM", "PpmImagePlugin"),
    "sgi": ("SGI", "SgiImagePlugin"),
    "fli": ("FLI", "FliImagePlugin"),
    "ico": ("ICO", "IcoImagePlugin"),
    "icns": ("ICNS", "IcnsImagePlugin"),
    "pcx": ("PCX", "PcxImagePlugin"),
    "dcx": ("DCX", "DcxImagePlugin"),
    "dds": ("DDS", "DdsImagePlugin"),
    "psd": ("PSD", "PsdImagePlugin"),
    "qoi": ("QOI", "QoiImagePlugin"),
    "tiff": ("TIFF", "TiffImagePlugin"),
}
_PAGED = ("dcx",)  # fax pages; every other format's frames are an animation, a stack of sizes or layers
_WORKSPACE = {
    "jpeg2000": 4,
    "webp": 3,
    "avif": 2,
    "ico": 2,
    "icns": 2,
}  # the decoder's own copies, as a factor


def read(source: Source, first: int, count: int | None, limits: Limits) -> ReadResult:
    format = sniff(source)
    result = ReadResult(format)
    with Decoding():
        image = open_image(source, format, limits)
        pages = int(getattr(image, "n_frames", 1)) if format in _PAGED else 1
        pages = min(pages, limits.pages)
        last = pages if count is None else min(pages, first + count - 1)
        for page in range(first, last + 1):
            if pages > 1:
                image.seek(page - 1)
            result.items.append(to_item(image, page if pages > 1 else None, format, limits))
        if last < pages:
            result.more_from = last + 1
    return result


class Decoding:
    """Within: Pillow's warnings are silent, and whatever a decoder raises becomes UnreadableFile."""

    def __init__(self) -> None:
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._warnings.__exit__(None, None, None)
        if error is None or isinstance(error, (UnreadableFile, MemoryError)) or not isinstance(error, Exception):
            return
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the file's
            return
        name = type(error).__name__
        if name == "UnidentifiedImageError":  # its message is the repr of our file object
            raise UnreadableFile("damaged", "no sound header") from None
        raise UnreadableFile(
            "too-large" if name == "DecompressionBombError" else "damaged", f"{name}: {error}"
        ) from None


def open_image(source: Source, format: str, limits: Limits) -> Image:
    """The picture's header, by the one decoder that its format names."""
    import PIL.Image

    name, module = PLUGINS[format]
    plugin = importlib.import_module(f"PIL.{module}")
    if format == "avif":
        vars(plugin)["DEFAULT_MAX_THREADS"] = 1  # one worker uses one core
    # Pillow refuses twice this number, before the pixels are estimated by `to_item`. Not for JPEG: however large, it
    # may fit at a reduced scale.
    PIL.Image.MAX_IMAGE_PIXELS = None if format == "jpeg" else limits.decoded_bytes // 2
    source.file.seek(0)
    return PIL.Image.open(source.file, formats=(name,))


def to_item(image: Image, page: int | None, format: str, limits: Limits) -> ReaderItem:
    """Decodes the current frame, no larger than needed."""
    size = image.size
    refuse_no_size(*size)
    if image.format in ("JPEG", "MPO"):
        image.draft(None, raster.reduced_size(*size, limits.longest_edge_px))
    estimate = raster.decoded_bytes(image.mode, *image.size) * _WORKSPACE.get(format, 1)
    if "progressive" in image.info or "progression" in image.info:
        estimate += size[0] * size[1] * 2 * len(image.getbands())  # all coefficients at full size, 16 bits each
    raster.refuse_bomb(estimate, *size, limits)
    image.load()
    orientation = _orientation(image)
    small = raster.upright(raster.to_small(image, limits.longest_edge_px), orientation)
    if orientation in (5, 6, 7, 8):
        size = (size[1], size[0])
    return ReaderItem(page, image=small, width_px=size[0], height_px=size[1])


def refuse_no_size(width: int, height: int) -> None:
    """Raises UnreadableFile("damaged") for a picture without pixels."""
    if width < 1 or height < 1:
        raise UnreadableFile("damaged", f"{width} x {height} pixels")


def _orientation(image: Image) -> object:
    if not {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"} & image.info.keys() and image.format != "TIFF":
        return 1
    try:
        return image.getexif().get(raster.ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block does not make the picture unreadable
        return 1
