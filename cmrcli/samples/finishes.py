"""Materials of the sample parts: what the title block calls them and how their surfaces look in a picture."""

from dataclasses import dataclass

Colour = tuple[float, float, float]  # linear red, green, blue, 0..1


@dataclass(frozen=True, slots=True)
class Finish:
    """A surface: base colour, how metallic (0..1), how rough (0 mirror .. 1 matt), how grainy (0..1)."""

    colour: Colour
    metallic: float
    roughness: float
    grain: float


FINISHES: dict[str, Finish] = {
    "steel": Finish((0.62, 0.63, 0.65), 0.85, 0.35, 0.06),
    "bright": Finish((0.74, 0.75, 0.76), 0.95, 0.18, 0.03),
    "brushed": Finish((0.60, 0.60, 0.61), 0.85, 0.45, 0.14),
    "dark_steel": Finish((0.30, 0.30, 0.32), 0.7, 0.45, 0.10),
    "black_oxide": Finish((0.07, 0.07, 0.08), 0.5, 0.40, 0.04),
    "zinc": Finish((0.66, 0.68, 0.72), 0.8, 0.40, 0.10),
    "yellow_zinc": Finish((0.72, 0.60, 0.32), 0.8, 0.35, 0.10),
    "cast_iron": Finish((0.28, 0.28, 0.29), 0.25, 0.80, 0.22),
    "rusty": Finish((0.36, 0.20, 0.12), 0.15, 0.90, 0.35),
    "aluminium": Finish((0.76, 0.77, 0.79), 0.8, 0.45, 0.05),
    "brass": Finish((0.74, 0.54, 0.20), 0.9, 0.28, 0.04),
    "bronze": Finish((0.55, 0.34, 0.17), 0.85, 0.38, 0.06),
    "copper": Finish((0.74, 0.36, 0.22), 0.9, 0.30, 0.05),
    "white_plastic": Finish((0.84, 0.84, 0.82), 0.0, 0.55, 0.01),
    "black_plastic": Finish((0.045, 0.045, 0.05), 0.0, 0.45, 0.02),
    "red_plastic": Finish((0.62, 0.06, 0.05), 0.0, 0.35, 0.01),
    "nylon": Finish((0.80, 0.76, 0.62), 0.0, 0.60, 0.02),
    "blue_paint": Finish((0.06, 0.16, 0.42), 0.0, 0.35, 0.04),
    "green_paint": Finish((0.10, 0.30, 0.20), 0.0, 0.40, 0.05),
    "grey_paint": Finish((0.42, 0.44, 0.46), 0.0, 0.50, 0.05),
    "orange_paint": Finish((0.80, 0.28, 0.04), 0.0, 0.35, 0.04),
    "red_paint": Finish((0.55, 0.05, 0.04), 0.0, 0.35, 0.04),
    "yellow_paint": Finish((0.80, 0.58, 0.05), 0.0, 0.38, 0.04),
    "rubber": Finish((0.035, 0.035, 0.035), 0.0, 0.85, 0.05),
    "pcb": Finish((0.02, 0.26, 0.10), 0.0, 0.35, 0.02),
    "gold": Finish((0.80, 0.60, 0.22), 0.9, 0.25, 0.02),
    "glass": Finish((0.55, 0.68, 0.70), 0.3, 0.10, 0.0),
}

_MACHINED = ("steel", "bright", "brushed", "dark_steel")
_STAINLESS = ("bright", "brushed", "steel")
_CAST = ("cast_iron", "grey_paint", "blue_paint", "green_paint", "cast_iron")


@dataclass(frozen=True, slots=True)
class Material:
    """A material by its JIS designation, what people call it, and the finishes it is seen with."""

    code: str
    en: str
    ja: str
    finishes: tuple[str, ...]


MATERIALS: dict[str, Material] = {
    m.code: m
    for m in (
        Material("S45C", "carbon steel", "炭素鋼", (*_MACHINED, "black_oxide")),
        Material(
            "SCM435",
            "chrome molybdenum steel",
            "クロムモリブデン鋼",
            ("black_oxide", "black_oxide", "dark_steel", "steel"),
        ),
        Material(
            "SS400", "mild steel", "一般構造用圧延鋼", (*_MACHINED, "rusty", "grey_paint", "zinc", "orange_paint")
        ),
        Material("SUS304", "stainless steel", "ステンレス鋼", _STAINLESS),
        Material("SUS316", "stainless steel", "ステンレス鋼", _STAINLESS),
        Material("SUJ2", "bearing steel", "軸受鋼", ("bright", "bright", "steel")),
        Material("SWP-B", "piano wire", "ピアノ線", ("dark_steel", "steel", "black_oxide")),
        Material(
            "SWCH",
            "zinc plated steel",
            "冷間圧造用炭素鋼",
            ("zinc", "yellow_zinc", "zinc", "black_oxide"),
        ),
        Material("FC250", "grey cast iron", "ねずみ鋳鉄", _CAST),
        Material("FCD450", "ductile cast iron", "球状黒鉛鋳鉄", (*_CAST, "red_paint")),
        Material("SF440A", "forged steel", "鍛鋼", ("dark_steel", "cast_iron", "steel", "rusty")),
        Material("SC450", "cast steel", "鋳鋼", (*_CAST, "dark_steel")),
        Material("A5052", "aluminium alloy", "アルミニウム合金", ("aluminium", "aluminium", "brushed")),
        Material("A6063", "extruded aluminium", "アルミ押出材", ("aluminium", "aluminium", "black_oxide")),
        Material("ADC12", "die-cast aluminium", "アルミダイカスト", ("aluminium", "grey_paint", "black_plastic")),
        Material("C3604", "free-cutting brass", "快削黄銅", ("brass",)),
        Material("CAC406", "bronze casting", "青銅鋳物", ("bronze", "bronze", "brass")),
        Material("C1100", "copper", "タフピッチ銅", ("copper",)),
        Material("POM", "acetal resin", "ポリアセタール", ("white_plastic", "black_plastic", "nylon")),
        Material("MC901", "cast nylon", "MCナイロン", ("nylon", "blue_paint", "white_plastic")),
        Material("ABS", "ABS resin", "ABS樹脂", ("white_plastic", "black_plastic", "grey_paint", "red_plastic")),
        Material("PF", "phenolic resin", "フェノール樹脂", ("black_plastic", "black_plastic", "red_plastic")),
        Material("PVC-U", "rigid PVC", "硬質塩化ビニル", ("grey_paint", "white_plastic", "dark_steel")),
        Material("NBR", "nitrile rubber", "ニトリルゴム", ("rubber",)),
        Material("FR-4", "glass epoxy laminate", "ガラスエポキシ基板", ("pcb", "pcb", "blue_paint", "black_plastic")),
        Material("SGP", "carbon steel pipe", "配管用炭素鋼鋼管", ("dark_steel", "zinc", "rusty", "grey_paint")),
        Material("SPCC", "sheet steel", "冷間圧延鋼板", ("zinc", "grey_paint", "white_plastic", "steel")),
    )
}
