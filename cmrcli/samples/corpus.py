"""Writes the sample corpus: the files of a small engineering office, the same bytes for the same seed."""

import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

from PIL import Image

from cmrcli.samples.ageing import aged
from cmrcli.samples.annotate import Style
from cmrcli.samples.dxf import write_dxf
from cmrcli.samples.office_notes import NOTES
from cmrcli.samples.pages import parsed, typeset
from cmrcli.samples.part import Part
from cmrcli.samples.pdf import write_pdf
from cmrcli.samples.plan import Entry, corpus_part, plan
from cmrcli.samples.raster import rasterise
from cmrcli.samples.sheet import Sheet, SheetStyle
from cmrcli.samples.specifications import ENGLISH
from cmrcli.samples.specifications_ja import JAPANESE, quotation
from cmrcli.samples.svg import write_svg

SCAN_PX, MICROFILM_PX, PHOTO_PX = 1240, 1754, 512
_FIGURES = {  # specifications whose last page is a drawing
    "SPEC-101_bolted_flange_joints.pdf": "weld_neck_flange",
    "SPEC-204_stepped_shafts.pdf": "stepped_shaft",
    "SPEC-310_compression_springs.pdf": "compression_spring",
    "SPEC-420_cooling_water_pumps.pdf": "centrifugal_pump",
}
_REMARKS = (
    ("UNLESS OTHERWISE STATED: JIS B 0405-m", "指示なき寸法公差はJIS B 0405 中級"),
    ("BREAK SHARP EDGES C0.2-C0.5", "指示なき角部は糸面取りのこと"),
    ("DEBURR AND CLEAN BEFORE PACKING", "バリ、かえりなきこと"),
)


def write_corpus(folder: Path, seed: int = 0) -> list[Path]:
    """Writes every file of the plan below `folder` (made if missing) and returns their paths, sorted."""
    paths = []
    for entry in plan(seed):
        path = folder / entry.relpath
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(entry, path, folder, seed)
        paths.append(path)
    return sorted(paths)


def _write(entry: Entry, path: Path, folder: Path, seed: int) -> None:
    rng = Random(f"{entry.relpath}/{seed}")
    parts = [corpus_part(f, seed) for f in entry.families]
    match entry.form:
        case "pdf":
            sheet = _sheet(parts[0], rng, japanese=entry.japanese)
            write_pdf(
                [sheet], path, f"{parts[0].part_number} {parts[0].name_ja if entry.japanese else parts[0].name_en}"
            )
        case "dxf":
            write_dxf(
                _sheet(parts[0], rng, japanese=entry.japanese),
                path,
                block=parts[0].part_number.replace("-", "_"),
                layout=rng.random() < 0.3,
            )
        case "svg":
            write_svg(_sheet(parts[0], rng, japanese=entry.japanese), path)
        case "scan":
            _scan(parts[0], rng).save(path, dpi=(150, 150))
        case "tiff":
            _microfilm(parts, rng, path)
        case "photo":
            _photo(parts[0], rng, path)
        case "document":
            _document(entry, parts, path, rng, seed)
        case "note":
            path.write_text(NOTES[entry.source], encoding="utf-8", newline="\n")
        case "copy":
            shutil.copyfile(folder / entry.source, path)


def _sheet(part: Part, rng: Random, *, japanese: bool = False) -> Sheet:
    """A clean office drawing with border, title block, dimensions and remarks."""
    height = rng.choice((2.5, 3.0, 3.5))
    look = SheetStyle(
        paper=rng.choice(("A4", "A3", "A3")),
        third_angle=rng.random() < 0.9,
        japanese=japanese,
        notes=tuple(rng.sample(_REMARKS, 2)) if part.has_rendering else (),
        style=Style(text=height, arrow=height * 0.9, gap=height * 2.4),
    )
    return part.sheet(rng.randrange(1000), look)


def _scan(part: Part, rng: Random) -> Image.Image:
    """A grey or black-and-white scan; 16 greys are enough and keep the file small."""
    image = aged(rasterise(_sheet(part, rng), SCAN_PX, oversample=2), rng, strength=0.6)
    if rng.random() < 0.5:
        return image.point(lambda v: 255 if v > 150 else 0).convert("1", dither=Image.Dither.NONE)
    return image.point(lambda v: v // 17 * 17)


def _microfilm(parts: list[Part], rng: Random, path: Path) -> None:
    """A multi-page bilevel TIFF in CCITT group 4, as scanning services deliver."""
    pages = []
    for part in parts:
        page = aged(rasterise(_sheet(part, rng), MICROFILM_PX, oversample=2), rng, strength=0.4)
        pages.append(page.point(lambda v: 255 if v > 140 else 0).convert("1", dither=Image.Dither.NONE))
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="group4", dpi=(150, 150))


def _photo(part: Part, rng: Random, path: Path) -> None:
    """A picture whose name says nothing; one in four JPEGs is stored turned, with an EXIF orientation."""
    image = part.rendering_image(rng.randrange(1000), PHOTO_PX)
    if image is None:
        raise ValueError(f"the family {part.family} has no rendering")
    if path.suffix == ".png":
        image.resize((image.width * 2 // 3, image.height * 2 // 3), Image.Resampling.LANCZOS).save(path)
        return
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Sample", "Workshop camera"
    if rng.random() < 0.25:
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    image.save(path, quality=88, exif=exif)


def _document(entry: Entry, parts: list[Part], path: Path, rng: Random, seed: int) -> None:
    """A specification with its figure as the last page, or a quotation for the parts."""
    text = (ENGLISH | JAPANESE).get(entry.source)
    if text is None:
        lines = tuple(
            (p.part_number, p.name_ja, rng.choice((5, 10, 20, 50)), rng.randrange(8, 300) * 100) for p in parts
        )
        text = quotation(entry.source, rng.choice(("大和機械株式会社", "北浜工業株式会社", "東雲製作所")), lines)
    document = parsed(text)
    sheets, bookmarks = typeset(document)
    if entry.source in _FIGURES:
        figure = corpus_part(_FIGURES[entry.source], seed)
        bookmarks.append((f"Figure 1: {figure.name_en} {figure.part_number}", len(sheets)))
        sheet = _sheet(figure, rng)
        sheets.append(replace(sheet, title=None))
    write_pdf(sheets, path, document.title, bookmarks)
