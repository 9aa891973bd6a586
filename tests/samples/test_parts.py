"""Parts: every family draws, renders, describes itself; equal seeds give equal results; drawings fit bodies."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from cmrcli.samples import families, make_part
from cmrcli.samples.displaylist import bounds
from cmrcli.samples.finishes import FINISHES, MATERIALS
from cmrcli.samples.projection import VIEWS, line_view
from cmrcli.samples.render import POSES
from cmrcli.samples.trades import FAMILIES

NAMES = families()
DIAGRAMS = [n for n in NAMES if not FAMILIES[n].materials]
BODIES = [n for n in NAMES if FAMILIES[n].materials]


def test_there_are_many_families_with_distinct_words() -> None:
    assert len(NAMES) >= 60
    assert len(DIAGRAMS) >= 3
    firsts = [(f.en[0], f.ja[0]) for f in FAMILIES.values()]
    assert len({e for e, _ in firsts}) == len({j for _, j in firsts}) == len(NAMES)
    assert len({f.prefix for f in FAMILIES.values()}) == len(NAMES)


@pytest.mark.parametrize("family", NAMES)
def test_every_family_is_drawn(family: str) -> None:
    image = make_part(family, 3).drawing_image(1, 96)
    assert max(image.size) == 96
    grey = np.asarray(image.convert("L"))
    paper = np.median(grey)
    assert paper > 150, "a sheet is mostly paper"
    assert (grey < 0.75 * paper).mean() > 0.01, "and carries ink"


@pytest.mark.parametrize("family", NAMES)
def test_every_body_is_rendered_and_no_diagram(family: str) -> None:
    part = make_part(family, 5)
    image = part.rendering_image(2, 64)
    assert part.has_rendering == (image is not None) == (family in BODIES)
    if image is not None:
        assert image.mode == "RGB"
        assert max(image.size) == 64
        assert np.asarray(image).std() > 4


@pytest.mark.parametrize("family", NAMES)
def test_words_are_of_both_languages_and_vary(family: str) -> None:
    part = make_part(family, 7)
    english = {part.caption_en(k) for k in range(24)}
    japanese = {part.caption_ja(k) for k in range(24)}
    assert len(english) > 5
    assert len(japanese) > 4
    assert all(any(name in c for name in part.spec.en) for c in english)
    assert all(any(name in c for name in part.spec.ja) for c in japanese)
    assert not any("with with" in c or "  " in c or c.endswith((",", "、")) for c in english | japanese)
    assert part.part_number.startswith(part.spec.prefix + "-0007")


def test_the_same_seed_gives_the_same_pixels_in_another_process() -> None:
    code = (
        "import hashlib;from cmrcli.samples import make_part;p=make_part('ball_bearing',11);"
        "print(hashlib.sha256(p.drawing_image(3,128).tobytes()+p.rendering_image(4,128).tobytes()).hexdigest(),p.params)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    part = make_part("ball_bearing", 11)
    rendering = part.rendering_image(4, 128)
    assert rendering is not None
    digest = hashlib.sha256(part.drawing_image(3, 128).tobytes() + rendering.tobytes()).hexdigest()
    assert other == f"{digest} {part.params}"


def test_other_seeds_give_other_parts_and_pictures() -> None:
    parts = [make_part("gate_valve", seed) for seed in range(12)]
    assert len({str(p.params) for p in parts}) > 6
    assert len({p.drawing_image(0, 64).tobytes() for p in parts}) == 12
    assert len({parts[0].drawing_image(seed, 64).tobytes() for seed in range(8)}) == 8


@pytest.mark.parametrize("family", BODIES)
def test_the_outlines_of_a_view_fill_the_silhouette_of_the_body(family: str) -> None:
    solid = make_part(family, 2).design.solid
    assert solid is not None
    points = solid.vertices()
    for name in ("front", "right", "iso"):
        x0, y0, x1, y1 = bounds(line_view(solid, name))
        flat = points @ np.array(VIEWS[name]).T
        size = np.ptp(flat, axis=0).max()
        np.testing.assert_allclose([x0, y0], flat.min(axis=0), atol=0.02 * size, err_msg=name)
        np.testing.assert_allclose([x1, y1], flat.max(axis=0), atol=0.02 * size, err_msg=name)


@pytest.mark.parametrize("family", BODIES)
def test_what_a_family_names_exists(family: str) -> None:
    spec, design = FAMILIES[family], make_part(family, 1).design
    assert design.solid is not None
    assert set(spec.materials) <= set(MATERIALS)
    assert set(design.poses) <= set(POSES)
    shown = {view for names in design.arrangements for view in names}
    assert shown <= set(VIEWS)
    assert set(design.notes) | set(design.sections) <= set(VIEWS)
    tones = {p.tone for p in design.solid.patches} | {f.tone for f in design.solid.facets}
    assert tones - {"main"} <= set(FINISHES)
    assert {f for m in spec.materials for f in MATERIALS[m].finishes} <= set(FINISHES)


@pytest.mark.parametrize("family", BODIES)
def test_sections_lie_within_the_body(family: str) -> None:
    design = make_part(family, 4).design
    assert design.solid is not None
    points = design.solid.vertices()
    for view, lines in design.sections.items():
        flat = points @ np.array(VIEWS[view]).T
        slack = 0.02 * np.ptp(flat, axis=0).max()
        x0, y0, x1, y1 = bounds(lines)
        assert (np.array([x0, y0]) >= flat.min(axis=0) - slack).all()
        assert (np.array([x1, y1]) <= flat.max(axis=0) + slack).all()
