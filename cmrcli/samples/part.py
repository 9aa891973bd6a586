"""One part: its parameters, names, captions, drawing and picture, all decided by family and seed."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from PIL import Image

from cmrcli.samples.ageing import aged
from cmrcli.samples.annotate import Cut, View
from cmrcli.samples.captions import caption_en, caption_ja
from cmrcli.samples.design import Design, Family, Params
from cmrcli.samples.displaylist import Primitive, bounds
from cmrcli.samples.finishes import MATERIALS, Material
from cmrcli.samples.projection import line_view
from cmrcli.samples.raster import rasterise
from cmrcli.samples.render import render
from cmrcli.samples.sheet import Sheet, SheetStyle, Title, compose, random_style


@dataclass(frozen=True)
class Part:
    """A part of a family; equal families and seeds give equal parts, pictures and words on every machine."""

    spec: Family
    seed: int

    @property
    def family(self) -> str:
        """Name of the family, one of `families()`."""
        return self.spec.name

    @property
    def name_en(self) -> str:
        """The usual English name."""
        return self.spec.en[0]

    @property
    def name_ja(self) -> str:
        """The usual Japanese name."""
        return self.spec.ja[0]

    @cached_property
    def params(self) -> Params:
        """The parameters: lengths in mm, counts, angles in degrees."""
        return self.spec.params(self._random("params"))

    @cached_property
    def material(self) -> str:
        """Material designation, such as SUS304; empty for a diagram."""
        return self._random("material").choice(self.spec.materials) if self.spec.materials else ""

    @property
    def stuff(self) -> Material | None:
        """The material with its names and finishes; None for a diagram."""
        return MATERIALS.get(self.material)

    @cached_property
    def part_number(self) -> str:
        """A part number that no other seed below ten thousand of the family shares."""
        rng = self._random("number")
        return f"{self.spec.prefix}-{self.seed % 10_000:04d}{rng.choice('ABCDEFGH')}"

    @cached_property
    def design(self) -> Design:
        """The geometry and its notes."""
        return self.spec.design(self.params)

    @property
    def has_rendering(self) -> bool:
        """Whether there is a body to photograph (diagrams have none)."""
        return self.design.solid is not None

    def caption_en(self, seed: int) -> str:
        """One of many English sentences about the part."""
        return caption_en(self.spec.en, self.stuff, self.design.facts, self.part_number, self._random("en", seed))

    def caption_ja(self, seed: int) -> str:
        """One of many Japanese sentences about the part."""
        return caption_ja(self.spec.ja, self.stuff, self.design.facts, self.part_number, self._random("ja", seed))

    def views(self, names: tuple[str, ...], *, section: bool = False, hidden: bool = True) -> list[View]:
        """The named views; a view that has a section shows it if asked."""
        d = self.design
        if d.solid is None:
            return [View("front", d.diagram, diagram=True)]
        out = []
        cut = section and bool(set(names) & set(d.sections))
        for name in names:
            notes = tuple(d.notes.get(name, ()))
            if section and name in d.sections:
                out.append(View(name, tuple(d.sections[name]), notes, "SECTION A-A"))
            else:
                dashes = hidden and d.hidden and not name.startswith("iso")
                lines = tuple(self._outlines(name, dashes))
                if cut and name in ("left", "right"):  # every section is of the front view, through its axis
                    _, low, _, high = bounds(lines)
                    notes += (Cut((0.0, low), (0.0, high), towards="right" if name == "left" else "left"),)
                out.append(View(name, lines, notes))
        return out

    def _outlines(self, name: str, dashes: bool) -> list[Primitive]:
        assert self.design.solid is not None
        return line_view(self.design.solid, name, hidden=dashes)

    def sheet(self, seed: int, look: SheetStyle | None = None) -> Sheet:
        """A drawing of the part as vectors; the seed chooses views, section and, unless given, the look."""
        rng = self._random("sheet", seed)
        chosen = look or random_style(rng)
        if rng.random() < 0.3:
            chosen = replace(chosen, origin_cell=(rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8)))
        names = rng.choice(self.design.arrangements)
        views = self.views(names, section=rng.random() < 0.6, hidden=rng.random() < 0.8)
        return compose(views, chosen, self.title(rng))

    def title(self, rng: Random) -> Title:
        """The words of the title block."""
        m = self.stuff
        japanese = "-" if m is None else f"{m.code}({m.ja})" if rng.random() < 0.3 else m.code
        return Title(
            title=(rng.choice(self.spec.en).upper(), rng.choice(self.spec.ja)),
            part_number=self.part_number,
            material=(self.material or "-", japanese),
            drawn=rng.choice(("K.M.", "T.S.", "H.A.", "Y.I.", "R.B.")),
            date=f"20{rng.randint(9, 25):02d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            revision=rng.choice("0ABC"),
        )

    def drawing_image(self, seed: int, size_px: int) -> Image.Image:
        """The drawing as an "L" image, longer side `size_px`: black on white, sometimes scanned, turned or mirrored."""
        sheet = self.sheet(seed)
        rng = self._random("drawing", seed)
        weight = max(0.75, math.exp(rng.gauss(0.1, 0.35)))
        if rng.random() < 0.45:  # scanned finer than shown, so that hard black and white keeps thin lines
            image = aged(rasterise(sheet, 2 * size_px, line_weight=1.7 * weight, oversample=2), rng).reduce(2)
        else:
            image = rasterise(sheet, size_px, line_weight=weight)
        turn = rng.random()
        if turn < 0.08:
            image = image.transpose(rng.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)))
        elif turn < 0.10:
            image = image.transpose(Image.Transpose.ROTATE_180)
        elif turn < 0.13:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image

    def rendering_image(self, seed: int, size_px: int) -> Image.Image | None:
        """A photo-like RGB picture, longer side `size_px`; None for a diagram."""
        if self.design.solid is None or self.stuff is None:
            return None
        rng = self._random("rendering", seed)
        w, h = rng.choice(((4, 4), (4, 3), (4, 3), (3, 2), (3, 4)))
        size = (round(size_px * w / max(w, h)), round(size_px * h / max(w, h)))
        return render(self.design.solid, rng.choice(self.stuff.finishes), rng, size, self.design.poses)

    def _random(self, purpose: str, seed: int = 0) -> Random:
        return Random(f"{self.spec.name}/{self.seed}/{purpose}/{seed}")
