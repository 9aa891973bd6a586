"""What every encoder is asked in its self-test: texts written here, pictures drawn here by integer formulas.

No random numbers and no floating point: the same pixels on every machine. `golden.json` names them and holds
the vectors that the encoder gave where it was known to be right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.encoders.fields import unreadable
from cmrcli.errors import EncoderError, display_path

GOLDEN_NAME = "golden.json"
FORMAT = 1
GOLDEN_BYTES = 16 << 20  # a larger golden.json is not one
DECIMALS = 5  # of a stored value; costs less than 1e-6 of a cosine

TEXTS: dict[str, str] = {
    "english": "hex flange bolt",
    "sentence": "a photo of a red car on a street",
    "drawing": "technical drawing of a bearing housing with dimensions and hatching, scale 1:2",
    "japanese": "歯車",
    "japanese-mixed": "六角フランジボルト M8×20 SUS304",
    "part-number": "A-1023-02",
    "empty": "",
    "emoji": "🔩⚙️📐",
    "long": "The housing is machined from grey cast iron. " * 400,
}


def pictures() -> dict[str, NDArray[np.uint8]]:
    """Pictures by name, (height, width, 3) uint8, of different shapes so that resizing is tested too."""
    return {
        "gradient": _gradient(320, 200),
        "part": _part(480, 360),
        "discs": _discs(300, 300),
        "checks": _checks(64, 48),
        "noise": _noise(256, 256),
        "strip": _part(900, 90),
        "white": np.full((200, 200, 3), 255, dtype=np.uint8),
    }


@dataclass(frozen=True)
class Golden:
    """The vectors of a golden.json.

    Attributes:
        digest: of the encoder that gave them. Another one may be compared with them on purpose: a quantised
            graph with the one it was made from.
        texts, pictures: name -> (dim,) float32.
    """

    digest: str
    texts: dict[str, NDArray[np.float32]]
    pictures: dict[str, NDArray[np.float32]]


def save_golden(folder: Path, golden: Golden) -> Path:
    """Writes golden.json, one vector a line, beside and then renamed; returns its path."""
    path = folder / GOLDEN_NAME
    beside = path.with_suffix(".tmp")
    towers = (
        f'"{name}": {{\n' + ",\n".join(f"{json.dumps(key)}: {_line(one)}" for key, one in vectors.items()) + "\n}"
        for name, vectors in (("texts", golden.texts), ("pictures", golden.pictures))
    )
    head = f'"format": {FORMAT},\n"digest": "{golden.digest}"'
    try:
        beside.write_text("{\n" + ",\n".join((head, *towers)) + "\n}\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise unreadable(path, error) from None
    return path


def load_golden(folder: Path, dim: int) -> Golden | None:
    """The golden vectors in the folder; None when it has no golden.json.

    Raises:
        EncoderError: a golden.json that cannot be read, of another format or of another dimension.
    """
    path = folder / GOLDEN_NAME
    if not path.exists():
        return None
    try:
        if path.stat().st_size > GOLDEN_BYTES:
            raise ValueError("larger than any")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}")
        towers = [
            {name: np.asarray(v, dtype=np.float32) for name, v in content[t].items()} for t in ("texts", "pictures")
        ]
        if any(vector.shape != (dim,) for tower in towers for vector in tower.values()):
            raise ValueError(f"its vectors have another dimension than {dim}")
        return Golden(str(content["digest"]), *towers)
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EncoderError(
            f"{display_path(path)} does not hold golden vectors: {display_path(str(error))[:200]}",
            f"python -m cmrcli.encoders.selftest --write {display_path(folder)}",
        ) from None


def _line(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join(f"{value:.{DECIMALS}f}" for value in vector.tolist()) + "]"


def _grid(width: int, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """x and y of every pixel, (height, width)."""
    y, x = np.indices((height, width), dtype=np.int64)
    return x, y


def _gradient(width: int, height: int) -> NDArray[np.uint8]:
    x, y = _grid(width, height)
    channels = (x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 255 // (width + height - 2))
    return np.stack(channels, axis=-1).astype(np.uint8)


def _part(width: int, height: int) -> NDArray[np.uint8]:
    """Black lines on white: a flange from the front (circles, centre lines) beside its hatched section."""
    x, y = _grid(width, height)
    unit = min(width, height) // 12
    squared = (x - width // 4) ** 2 + (y - height // 2) ** 2
    circles = np.zeros((height, width), dtype=bool)
    for radius in (2 * unit, 4 * unit):
        circles |= (squared >= radius**2) & (squared < (radius + 2) ** 2)
    centre_lines = ((y == height // 2) | (x == width // 4)) & ((x + y) % 24 < 16)
    inside = (abs(x - 3 * width // 4) < 2 * unit) & (abs(y - height // 2) < 4 * unit)
    hatching = inside & ((x + y) % 12 < 2)
    return np.repeat(np.where(circles | centre_lines | hatching, 0, 255)[:, :, None], 3, axis=2).astype(np.uint8)


def _discs(width: int, height: int) -> NDArray[np.uint8]:
    x, y = _grid(width, height)
    picture = np.full((height, width, 3), 255, dtype=np.uint8)
    for number, colour in enumerate(((220, 30, 30), (30, 150, 50), (30, 60, 210))):
        centre_x, centre_y = width * (1 + number) // 4, height * (2 + number) // 6
        picture[(x - centre_x) ** 2 + (y - centre_y) ** 2 < (width // 7) ** 2] = colour
    return picture


def _checks(width: int, height: int) -> NDArray[np.uint8]:
    x, y = _grid(width, height)
    return np.where(((x // 8 + y // 8) % 2 == 0)[:, :, None], (250, 230, 30), (90, 40, 120)).astype(np.uint8)


def _noise(width: int, height: int) -> NDArray[np.uint8]:
    """Grey levels without any pattern, by integer hashing of the position."""
    x, y = _grid(width, height)
    mixed = (x * 73_856_093 ^ y * 19_349_663) & 0xFFFF_FFFF
    mixed = (mixed ^ (mixed >> 15)) * 0x2C1B_3C6D & 0xFFFF_FFFF
    mixed = (mixed ^ (mixed >> 12)) * 0x297A_2D39 & 0xFFFF_FFFF
    return np.repeat(((mixed >> 16) & 255)[:, :, None], 3, axis=2).astype(np.uint8)
