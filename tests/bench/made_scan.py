"""A drawing of size A0 scanned at 600 dpi: 28,000 x 20,000 pixels, two levels, CCITT G4, in one strip or many.

python -m tests.bench.made_scan FILE STRIP_BYTES     (a process of its own: it holds the picture unpacked, 560 MB)
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from tests.bench.measure import REPOSITORY

WIDTH, HEIGHT = 28_000, 20_000
STRIPS = {"one strip": 2**30, "many strips": 2**16}  # name -> unpacked bytes of a strip at most
SEED = 50


def scans(folder: Path) -> list[Path]:
    """One file for each way of cutting into strips."""
    paths = []
    for name, strip_bytes in STRIPS.items():
        paths.append(folder / f"A0 600 dpi, {name}.tif")
        command = [sys.executable, "-m", "tests.bench.made_scan", str(paths[-1]), str(strip_bytes)]
        subprocess.run(command, cwd=REPOSITORY, check=True)
    return paths


def main(path: str, strip_bytes: int) -> None:
    Image.MAX_IMAGE_PIXELS = None
    chance = random.Random(SEED)
    picture = Image.new("1", (WIDTH, HEIGHT), 1)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((400, 400, WIDTH - 400, HEIGHT - 400), outline=0, width=24)
    for _ in range(1_500):
        x, y = chance.randrange(WIDTH), chance.randrange(HEIGHT)
        span = chance.randrange(100, 3_000)
        shape = chance.randrange(3)
        if shape == 0:
            draw.line((x, y, x + span, y + chance.choice((0, span))), fill=0, width=chance.choice((8, 12, 20)))
        elif shape == 1:
            draw.ellipse((x, y, x + span, y + span), outline=0, width=12)
        else:
            draw.rectangle((x, y, x + span, y + span // 2), outline=0, width=8)
    for _ in range(20_000):  # dust
        x, y = chance.randrange(WIDTH), chance.randrange(HEIGHT)
        draw.rectangle((x, y, x + 3, y + 3), fill=0)
    picture.save(path, compression="group4", dpi=(600, 600), strip_size=strip_bytes)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
