"""What the sample corpus holds: one entry a file, and the searches whose answers are known; nothing is drawn."""

from dataclasses import dataclass
from random import Random
from typing import Literal
from zlib import crc32

from cmrcli.samples.office_notes import NOTES
from cmrcli.samples.part import Part
from cmrcli.samples.specifications import ENGLISH
from cmrcli.samples.specifications_ja import JAPANESE
from cmrcli.samples.trades import FAMILIES

Form = Literal["pdf", "dxf", "svg", "scan", "tiff", "photo", "document", "note", "copy"]

_PDF = (
    "flange",
    "weld_neck_flange",
    "stepped_shaft",
    "coupling",
    "bearing_housing",
    "compression_spring",
    "gate_valve",
    "lever",
    "heat_sink",
    "pid",
    "floor_plan",
    "hydraulic_circuit",
)
_DXF = (
    "blind_flange",
    "l_bracket",
    "spur_gear",
    "pillow_block",
    "mounting_plate",
    "pcb",
    "schematic",
    "pipe_elbow",
    "pulley",
    "i_beam",
    "ball_bearing",
    "sprocket",
    "ladder_diagram",
)
_SVG = (
    "hex_bolt",
    "washer",
    "hex_nut",
    "circlip",
    "handwheel",
    "enclosure",
    "single_line_diagram",
    "flow_chart",
    "u_bolt",
)
_SCAN = (
    "socket_head_screw",
    "pipe_tee",
    "bush",
    "crankshaft",
    "lifting_hook",
    "torsion_spring",
    "fan_impeller",
    "knob",
)
_TIFF = (("reducer", "hose_nipple", "pipe_clamp"), ("piston", "roller"), ("caster",), ("hinge", "gasket"))
_JAPANESE: tuple[tuple[str, Form], ...] = (
    ("air_cylinder", "pdf"),
    ("eye_bolt", "svg"),
    ("extension_spring", "dxf"),
    ("ball_valve", "pdf"),
    ("centrifugal_pump", "pdf"),
    ("stepper_motor", "dxf"),
)
_PHOTO = (
    "flange",
    "stepped_shaft",
    "coupling",
    "bearing_housing",
    "compression_spring",
    "gate_valve",
    "heat_sink",
    "l_bracket",
    "spur_gear",
    "pillow_block",
    "pcb",
    "pulley",
    "ball_bearing",
    "hex_bolt",
    "handwheel",
    "enclosure",
    "u_bolt",
    "lifting_hook",
    "pipe_tee",
    "caster",
    "ball_valve",
    "fan_impeller",
)
QUOTED = (("flange", "stepped_shaft", "coupling"), ("spur_gear", "bearing_housing", "compression_spring", "pulley"))


@dataclass(frozen=True)
class Entry:
    """One file: its path in the corpus (POSIX, relative), how it is made, of which parts, or a copy of which file."""

    relpath: str
    form: Form
    families: tuple[str, ...] = ()
    source: str = ""
    japanese: bool = False


def corpus_part(family: str, seed: int) -> Part:
    """The one part of a family that a corpus is about: its drawing and its photo agree.

    Seeds start at a million: whoever trains on parts with small seeds has not seen these.
    """
    return Part(FAMILIES[family], 1_000_000 + 1000 + (crc32(family.encode()) + 131 * seed) % 8000)


def plan(seed: int) -> list[Entry]:
    """All entries in the order in which they are written; copies come after what they copy."""

    def number(family: str) -> str:
        return corpus_part(family, seed).part_number

    out = [
        Entry(f"drawings/{number(f)}{'' if i % 2 else '_' + f}.pdf", "pdf", (f,), japanese=i % 3 == 1)
        for i, f in enumerate(_PDF)
    ]
    out += [Entry(f"drawings/dxf/{number(f)}.dxf", "dxf", (f,), japanese=i % 3 == 2) for i, f in enumerate(_DXF)]
    out += [
        Entry(f"drawings/svg/{f.replace('_', '-')}-{number(f)[3:]}.svg", "svg", (f,), japanese=i % 3 == 2)
        for i, f in enumerate(_SVG)
    ]
    out += [Entry(f"scans/scan_{i + 41:04d}.png", "scan", (f,)) for i, f in enumerate(_SCAN)]
    out += [Entry(f"scans/microfilm/roll_{i + 7:02d}.tif", "tiff", f) for i, f in enumerate(_TIFF)]
    for f, form in _JAPANESE:
        out.append(Entry(f"図面/{FAMILIES[f].ja[0]}_{number(f)}.{form}", form, (f,), japanese=True))
    order = Random(f"photos/{seed}").sample(_PHOTO, len(_PHOTO))
    for i, f in enumerate(order):
        folder, ending = ("photos", "jpg") if i % 6 else ("photos/2023", "png")
        out.append(Entry(f"{folder}/IMG_{1207 + 3 * i:04d}.{ending}", "photo", (f,)))
    out += [Entry(f"specs/{name}", "document", source=name) for name in ENGLISH]
    out += [Entry(f"仕様書/{name}", "document", source=name) for name in JAPANESE]
    for i, parts in enumerate(QUOTED):
        out.append(Entry(f"見積/見積書_Q23-05{i + 1}.pdf", "document", parts, f"Q23-05{i + 1}"))
    out += [Entry(f"notes/{name}", "note", source=name) for name in NOTES]
    out.append(Entry(f"archive/2019/{number('flange')}_flange.pdf", "copy", source=out[0].relpath))
    photo = next(e for e in out if e.form == "photo" and e.families == ("handwheel",))
    out.append(Entry(f"archive/catalogue picture.{photo.relpath[-3:]}", "copy", source=photo.relpath))
    return out


def truth(seed: int) -> list[tuple[str, str]]:
    """Searches and, for each, the path of a file that should be among the first results; a query may come twice.

    A query that starts with `image:` is by example: the rest is a path in the corpus.
    """
    entries = plan(seed)
    drawing = {f: e for e in reversed(entries) if e.form in ("pdf", "dxf", "svg", "scan", "tiff") for f in e.families}
    photo = {e.families[0]: e for e in entries if e.form == "photo"}
    out: list[tuple[str, str]] = []
    for f in ("weld_neck_flange", "spur_gear", "pillow_block", "hex_nut", "ball_valve", "stepped_shaft"):
        out.append((corpus_part(f, seed).part_number, drawing[f].relpath))
    for f in (
        "gate_valve",
        "compression_spring",
        "spur_gear",
        "handwheel",
        "pulley",
        "ball_bearing",
        "pcb",
        "lifting_hook",
    ):
        out += [(FAMILIES[f].en[0], drawing[f].relpath), (FAMILIES[f].en[0], photo[f].relpath)]
    for f in ("floor_plan", "pid", "schematic", "ladder_diagram", "i_beam", "crankshaft"):
        out.append((FAMILIES[f].en[0], drawing[f].relpath))
    for f in ("bearing_housing", "stepped_shaft", "air_cylinder", "sprocket", "centrifugal_pump", "pipe_elbow"):
        out.append((f"{FAMILIES[f].ja[0]}の図面", drawing[f].relpath))
    for f in ("gate_valve", "spur_gear", "ball_bearing", "flange", "handwheel", "u_bolt"):
        out += [(f"image:{drawing[f].relpath}", photo[f].relpath), (f"image:{photo[f].relpath}", drawing[f].relpath)]
    out += [
        ("tightening torque of M16 bolts", "specs/SPEC-101_bolted_flange_joints.pdf"),
        ("pump noise and vibration limits", "specs/SPEC-420_cooling_water_pumps.pdf"),
        ("shot peening of valve springs", "specs/SPEC-310_compression_springs.pdf"),
        ("induction hardened bearing seats", "specs/SPEC-204_stepped_shafts.pdf"),
        ("the roller squeals", "notes/2021-03-meeting.md"),
        ("servo amplifier cooling trial", "notes/heat-sink-trial.md"),
        ("溶接棒 乾燥", "仕様書/溶接作業標準書.pdf"),
        ("受入検査の抜取方式", "仕様書/受入検査基準書.pdf"),
        ("下塗り エポキシ", "仕様書/塗装仕様書.pdf"),
        ("外れ止め", "notes/点検メモ.txt"),
        ("御見積書", "見積/見積書_Q23-051.pdf"),
    ]
    return out
