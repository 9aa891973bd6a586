"""One PDF page to pixels through pdfium, within a time: what is drawn by then is the picture."""

from __future__ import annotations

import ctypes
import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage

COVERING_SHARE = 0.5  # of the page, from which its pictures make it a scan

_LOOKED_AT = 2_000  # objects of a page looked at for the pictures that cover it


def render(page: PdfPage, scale: float, seconds: float) -> tuple[Image, bool]:
    """(RGB picture on white, whether it is complete) at `scale` pixels a point, the page's own rotation applied."""
    import pypdfium2.raw as pdfium
    from pypdfium2 import PdfBitmap

    width, height = (max(1, math.ceil(points * scale)) for points in page.get_size())
    bitmap = PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR, rev_byteorder=True)
    give_up = time.monotonic() + seconds
    pause = pdfium.IFSDK_PAUSE(version=1)
    # The structure has to keep the callback alive for as long as pdfium may call it.
    pause.NeedToPauseNow = type(pause.NeedToPauseNow)(lambda _: time.monotonic() > give_up)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        where = (0, 0, width, height, 0, pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER)
        status = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, *where, pause)
        pdfium.FPDF_RenderPage_Close(page)
        if status == pdfium.FPDF_RENDER_FAILED:
            raise ValueError("the page cannot be drawn")
        complete = status == pdfium.FPDF_RENDER_DONE
        if complete and page.formenv:
            pdfium.FPDF_FFLDraw(page.formenv, bitmap, page, *where)
        picture: Image = bitmap.to_pil().convert("RGB").copy()
        return picture, complete
    finally:
        bitmap.close()


def is_scan(page: PdfPage, area: float) -> bool:
    """Whether pictures cover more than COVERING_SHARE of the page (`area` in square points)."""
    import pypdfium2.raw as pdfium

    covered = 0.0
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for i in range(min(pdfium.FPDFPage_CountObjects(page), _LOOKED_AT)):
        thing = pdfium.FPDFPage_GetObject(page, i)
        kind = pdfium.FPDFPageObj_GetType(thing)
        is_picture = kind == pdfium.FPDF_PAGEOBJ_IMAGE or (kind == pdfium.FPDF_PAGEOBJ_FORM and _holds_image(thing))
        if is_picture and pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
            covered += max(0.0, right.value - left.value) * max(0.0, top.value - bottom.value)
    return covered > COVERING_SHARE * area


def _holds_image(form: object) -> bool:
    import pypdfium2.raw as pdfium

    for i in range(min(pdfium.FPDFFormObj_CountObjects(form), _LOOKED_AT)):
        if pdfium.FPDFPageObj_GetType(pdfium.FPDFFormObj_GetObject(form, i)) == pdfium.FPDF_PAGEOBJ_IMAGE:
            return True
    return False
