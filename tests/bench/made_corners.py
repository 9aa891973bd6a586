"""Large sheets that share their main view and differ by a detail in one corner, and the queries that name both.

A corpus has MAINS groups of DETAILS_EACH sheets: in a group the main view is the same to the pixel, and each sheet has
a small drawing of another part near one of its corners. A detail comes with several mains, so that neither name alone
is an answer: one sheet has both. Sheets are raster PNGs under numbers in shuffled order, and every title block says the
same: nothing but the pixels tells them apart. All parts are drawn by cmrcli.samples, from families of which the
encoder has seen other parts; main and detail families are two lists without a family in common, one of a kind that
looks alike.

Two corpora: CHOOSING is for choosing settings, REPORTING for what is reported. They share the lists of families and
nothing else: parts, pairs, places, sizes and the forms of the queries are others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import PIL.Image
import PIL.ImageDraw

from cmrcli.samples import make_part
from cmrcli.samples.annotate import Style
from cmrcli.samples.part import Part
from cmrcli.samples.raster import latin_font, rasterise
from cmrcli.samples.sheet import SheetStyle

CHOOSING, REPORTING = 0, 1  # seeds

DETAILS_EACH = 8
SHEET_PX = (2480, 1754)  # A3 at 150 dpi
BORDER_PX = 60
MAIN_SHARE = (0.52, 0.56)  # of the sheet's width and height that the main view may take, in the middle
DETAIL_PX = (260, 380)  # longest edge of a detail: 11 to 15 % of the sheet's
MARGIN_PX = 50  # between a detail and the border

MAIN_FAMILIES = (
    *("flange", "stepped_shaft", "coupling", "air_cylinder", "mounting_plate", "l_bracket", "i_beam", "floor_plan"),
    *("schematic", "ladder_diagram", "pid", "enclosure", "bearing_housing", "pipe_clamp", "reducer", "lever"),
)
DETAIL_FAMILIES = (
    *("compression_spring", "spur_gear", "hex_bolt", "eye_bolt", "gate_valve", "pulley", "handwheel", "lifting_hook"),
    *("caster", "fan_impeller", "pipe_elbow", "pipe_tee", "wing_nut", "u_bolt", "heat_sink", "hinge"),
    *("stepper_motor", "pillow_block", "knob", "piston", "crankshaft", "hex_nut", "hose_nipple", "pcb"),
)
# Written before anything that takes queries apart. {m}: a name of the main part, {d}: one of the detail.
FORMS_EN = (
    ("{m} with a {d} in the corner", "{m} and a small {d}", "{m}, {d} in the corner", "drawing of a {m} with {d}"),
    (
        "a {m} that has a small {d} in one corner",
        "{m} plus a {d}",
        "{m}; in the corner a {d}",
        "{m} including {d} detail",
    ),
)
FORMS_JA = (
    ("隅に{d}がある{m}", "{m}と{d}", "{d}付きの{m}の図面", "{m}、隅に小さな{d}"),
    ("角に{d}が描かれた{m}", "{m}および{d}", "{d}の入った{m}図面", "{m}（隅に{d}）"),
)


@dataclass(frozen=True, slots=True)
class Corner:
    """One sheet: its file's name, the families of its two parts, where the detail is, and a query in each language.

    `box` is the detail's, (x0, y0, x1, y1) as fractions of the sheet.
    """

    name: str
    main: str
    detail: str
    box: tuple[float, float, float, float]
    english: str
    japanese: str


def write_corners(folder: Path, seed: int) -> list[Corner]:
    """Writes the sheets of a seed below `folder` (made if missing) and says what is on them, by name."""
    rng = Random(f"corners/{seed}")
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [(main, detail) for main in MAIN_FAMILIES for detail in rng.sample(DETAIL_FAMILIES, DETAILS_EACH)]
    numbers = rng.sample(range(1, len(pairs) + 1), len(pairs))
    sheets = {main: _main_sheet(_part(main, seed, rng), rng) for main in MAIN_FAMILIES}
    corners = []
    for (main, detail), number in zip(pairs, numbers, strict=True):
        sheet = sheets[main].copy()
        part = _part(detail, seed, rng)
        box = _place(sheet, _cut_out(part, rng, rng.randint(*DETAIL_PX)), rng)
        name = f"{number:04d}.png"
        sheet.save(folder / name, dpi=(150, 150))
        english, japanese = rng.choice(FORMS_EN[seed % 2]), rng.choice(FORMS_JA[seed % 2])
        of_main, of_detail = make_part(main, 0).spec, part.spec
        corners.append(
            Corner(
                name,
                main,
                detail,
                box,
                english.format(m=rng.choice(of_main.en[:2]), d=rng.choice(of_detail.en[:2])),
                japanese.format(m=rng.choice(of_main.ja[:2]), d=rng.choice(of_detail.ja[:2])),
            )
        )
    return sorted(corners, key=lambda corner: corner.name)


def _part(family: str, seed: int, rng: Random) -> Part:
    """A part with a number beyond those that the encoder was trained on."""
    return make_part(family, 5_000 + 1_000 * seed + rng.randrange(1_000))


def _cut_out(part: Part, rng: Random, longest_px: int) -> PIL.Image.Image:
    """A clean drawing of the part without a sheet around it, its longer edge that long."""
    look = SheetStyle(border=False, title_block=False, style=Style(dimensions=rng.random() < 0.5))
    weight = 1.0 if longest_px > 600 else 1.6  # a small drawing is drawn with the same pen
    return rasterise(part.sheet(rng.randrange(1_000), look), longest_px, line_weight=weight, japanese=False)


def _main_sheet(part: Part, rng: Random) -> PIL.Image.Image:
    width, height = SHEET_PX
    sheet = PIL.Image.new("L", SHEET_PX, 255)
    draw = PIL.ImageDraw.Draw(sheet)
    draw.rectangle((BORDER_PX, BORDER_PX, width - BORDER_PX, height - BORDER_PX), outline=0, width=5)
    block = (width - BORDER_PX - 620, height - BORDER_PX - 150, width - BORDER_PX, height - BORDER_PX)
    draw.rectangle(block, outline=0, width=4)
    draw.line((block[0], block[1] + 75, block[2], block[1] + 75), fill=0, width=2)
    draw.text((block[0] + 20, block[1] + 18), "ASSEMBLY", fill=0, font=latin_font(40))
    draw.text((block[0] + 20, block[1] + 93), "SHEET 1/1", fill=0, font=latin_font(40))
    drawn = _cut_out(part, rng, round(MAIN_SHARE[0] * width))
    drawn.thumbnail((round(MAIN_SHARE[0] * width), round(MAIN_SHARE[1] * height)), PIL.Image.Resampling.BOX)
    sheet.paste(drawn, ((width - drawn.width) // 2, (height - drawn.height) // 2))
    return sheet


def _place(sheet: PIL.Image.Image, detail: PIL.Image.Image, rng: Random) -> tuple[float, float, float, float]:
    """Draws the detail near a corner (above the title block in the lower right one); its box."""
    width, height = sheet.size
    near = BORDER_PX + MARGIN_PX + rng.randint(0, 40)
    right, low = rng.random() < 0.5, rng.random() < 0.5
    x = width - near - detail.width if right else near
    y = height - near - detail.height - (150 if right else 0) if low else near
    sheet.paste(detail, (x, y))
    return x / width, y / height, (x + detail.width) / width, (y + detail.height) / height
