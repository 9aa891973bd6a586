"""What a drawing or photo may look like elsewhere: augmentation of whole batches on the device, no data loader.

Line art varies in stroke width, filled or outlined shapes, ink and paper, sheet frames, size and place on the sheet,
small rotations, scan noise and blur; photos in crop, mirror and light, and some become line drawings of themselves.
Pixels are 0..255, planes (n, 3, s, s); every random number comes from the generator given.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue in luma
# JPEG's own tables for quality 50 (ITU-T T.81, annex K), luma and chroma.
LUMA = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMA = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""


@dataclass
class Chance:
    """Random numbers on a generator's device."""

    source: torch.Generator

    def lot(self, among: Tensor, share: float) -> Tensor:
        """Row numbers: each row of `among` (n,) bool with probability `share`."""
        return (among & (self.uniform(0, 1, len(among)) < share)).nonzero()[:, 0]

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Evenly spread float32 numbers."""
        return torch.rand(shape, generator=self.source, device=self.source.device) * (high - low) + low

    def each(self, low: float, high: float, n: int) -> Tensor:
        """(n, 1, 1, 1) evenly spread: one number per image."""
        return self.uniform(low, high, n, 1, 1, 1)

    def normal(self, deviation: float, *shape: int) -> Tensor:
        """Normally spread float32 numbers."""
        return torch.randn(shape, generator=self.source, device=self.source.device) * deviation


def augment(planes: Tensor, line_art: Tensor, photos: Tensor, size: int, chance: Chance) -> tuple[Tensor, Tensor]:
    """(n, 3, s, s) uint8 -> (n, 3, size, size) float32, every image changed in its own way, and which are line art now.

    `line_art` and `photos` are (n,) bool; some of the photos come back as drawings of themselves.
    """
    planes = planes.float()
    some = chance.lot(torch.ones_like(line_art), 0.2)
    planes[some] = jpeg(planes[some], chance.uniform(25, 85, len(some)))
    sketched = chance.lot(photos, 0.12)
    if len(sketched):
        planes[sketched] = sketch(planes[sketched], chance)
    line_art = line_art.index_fill(0, sketched, True)
    _strokes(planes, line_art, chance)
    planes = _move(planes, line_art, size, chance)
    _sheet(planes, line_art, chance)
    _colours(planes, line_art, chance)
    _hide(planes, chance)
    return _scan(planes, chance), line_art


def turned(planes: Tensor, sheets: Tensor, chance: Chance) -> Tensor:
    """Some of the `sheets` (n,) bool turned by quarters, some mirrored: the same part is the same on any sheet."""
    planes = planes.clone()
    turns = torch.where(chance.uniform(0, 1, len(sheets)) < 0.3, chance.uniform(1, 4, len(sheets)).long(), 0)
    for quarters in (1, 2, 3):
        some = (sheets & (turns == quarters)).nonzero()[:, 0]
        planes[some] = torch.rot90(planes[some], quarters, (2, 3))
    some = chance.lot(sheets, 0.12)
    planes[some] = planes[some].flip(3)
    return planes


def jpeg(planes: Tensor, quality: Tensor) -> Tensor:
    """What a JPEG of that quality (n,), 1..99, keeps: its rounding of 8 x 8 cosine blocks, colours at full size."""
    turn = planes.new_tensor([[*WEIGHTS], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    place = torch.arange(8, device=planes.device, dtype=torch.float32)
    cosine = torch.cos((2 * place[None] + 1) * place[:, None] * math.pi / 16) / 2
    cosine[0] /= math.sqrt(2)
    tables = torch.stack([planes.new_tensor([float(x) for x in table.split()]) for table in (LUMA, CHROMA, CHROMA)])
    scale = torch.where(quality < 50, 5_000 / quality, 200 - 2 * quality) / 100
    steps = (tables.view(1, 3, 1, 1, 8, 8) * scale.view(-1, 1, 1, 1, 1, 1)).clamp(1, 255)
    n, _, high, wide = planes.shape
    blocks = torch.einsum("ij,njhw->nihw", turn, planes - 128).reshape(n, 3, high // 8, 8, wide // 8, 8)
    blocks = cosine @ blocks.transpose(3, 4) @ cosine.T
    blocks = cosine.T @ (torch.round(blocks / steps) * steps) @ cosine
    kept = blocks.transpose(3, 4).reshape(n, 3, high, wide)
    return (torch.einsum("ij,njhw->nihw", torch.linalg.inv(turn), kept) + 128).clamp(0, 255)


def sketch(planes: Tensor, chance: Chance) -> Tensor:
    """Photos as dark outlines on white: the steps of the smoothed luma, the steepest tenth or so in full ink."""
    grey = torch.einsum("c,nchw->nhw", planes.new_tensor(WEIGHTS), planes)[:, None]
    for _ in range(2):
        grey = F.avg_pool2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), 3, 1)
    steps = F.max_pool2d(grey, 3, 1, 1) + F.max_pool2d(-grey, 3, 1, 1)
    full = steps.flatten(1)[:, ::7].quantile(0.93, dim=1).clamp(min=8)[:, None, None, None]
    ink = (steps / (full * chance.each(0.7, 1.3, len(planes))) - chance.each(0.1, 0.45, len(planes))).clamp(0, 1)
    return 255 * (1 - ink).expand_as(planes)


def _strokes(planes: Tensor, drawn: Tensor, chance: Chance) -> None:
    """Thicker or thinner lines, and filled shapes turned into outlines."""
    thicker = chance.lot(drawn, 0.3)
    part = planes[thicker]
    planes[thicker] = part + chance.each(0.2, 1.0, len(part)) * (-F.max_pool2d(-part, 3, 1, 1) - part)
    thinner = chance.lot(drawn, 0.2)
    part = planes[thinner]
    planes[thinner] = part + chance.each(0.2, 0.7, len(part)) * (F.max_pool2d(part, 3, 1, 1) - part)
    outlined = chance.lot(drawn, 0.12)
    part = planes[outlined]
    planes[outlined] = 255 - (F.max_pool2d(part, 3, 1, 1) + F.max_pool2d(-part, 3, 1, 1))


def _move(planes: Tensor, drawn: Tensor, size: int, chance: Chance) -> Tensor:
    """Turned, scaled, stretched and shifted on white; photos also mirrored and cropped."""
    n = len(planes)
    angle = chance.normal(1, n) * torch.where(drawn, 6, 4) * math.pi / 180
    smaller = torch.exp(chance.uniform(math.log(0.55), math.log(1.1), n))
    scale = torch.where(drawn, smaller, chance.uniform(0.85, 1.45, n))
    stretch = torch.exp(chance.normal(0.08, n))
    mirror = torch.where(~drawn & (chance.uniform(0, 1, n) < 0.5), -1.0, 1.0)
    room = (1 - scale).abs() * 0.9
    first = torch.stack([angle.cos() / scale * stretch * mirror, -angle.sin() / scale,
                         chance.uniform(-1, 1, n) * room / scale], 1)  # fmt: skip
    second = torch.stack([angle.sin() / scale * mirror, angle.cos() / scale / stretch,
                          chance.uniform(-1, 1, n) * room / scale], 1)  # fmt: skip
    grid = F.affine_grid(torch.stack([first, second], 1), [n, 3, size, size], align_corners=False)
    ink = 255 - planes
    moved = F.grid_sample(ink, grid, padding_mode="zeros", align_corners=False)
    # A picture that shrinks by more than the bilinear filter reaches is read from one of half the size.
    shrunk = (planes.shape[-1] / size / scale > 1.5).nonzero()[:, 0]
    moved[shrunk] = F.grid_sample(F.avg_pool2d(ink[shrunk], 2), grid[shrunk], padding_mode="zeros", align_corners=False)
    return 255 - moved


def _sheet(planes: Tensor, drawn: Tensor, chance: Chance) -> None:
    """A frame and a title block around some drawings."""
    rows, size = chance.lot(drawn, 0.12), planes.shape[-1]
    n = len(rows)
    place = torch.arange(size, device=planes.device)
    down, across = place[None, :, None], place[None, None, :]

    def whole(low: float, high: float) -> Tensor:
        return chance.uniform(low, high, n, 1, 1).long()

    edge = whole(1, size / 16 + 2)
    end = size - 1 - edge
    inside = (down >= edge) & (down <= end) & (across >= edge) & (across <= end)
    lines = inside & ((down == edge) | (down == end) | (across == edge) | (across == end))
    top, left = end - whole(size / 12, size / 6), end - whole(size / 12, size / 3)
    block = inside & (down >= top) & (across >= left) & (chance.uniform(0, 1, n, 1, 1) < 0.6)
    pitch, column = whole(4, size / 16), left + (end - left) // whole(2, 4)
    rules = block & (((down - top) % pitch == 0) | (across == left) | (across == column))
    sheet = torch.where(block[:, None], 255.0, planes[rows])
    planes[rows] = torch.where((lines | rules)[:, None], chance.each(0, 120, n), sheet)


def _colours(planes: Tensor, drawn: Tensor, chance: Chance) -> None:
    """Other inks and papers, a few of them white on black; contrast and light of photos."""
    tinted = chance.lot(drawn, 0.25)
    ink, paper = chance.uniform(0, 150, len(tinted), 3, 1, 1), chance.uniform(190, 255, len(tinted), 3, 1, 1)
    planes[tinted] = ink + (paper - ink) * planes[tinted] / 255
    inverted = chance.lot(drawn, 0.08)
    planes[inverted] = 255 - planes[inverted]
    lit = chance.lot(~drawn, 0.5)
    contrast, light = chance.each(0.7, 1.3, len(lit)), chance.each(-25, 25, len(lit))
    planes[lit] = ((planes[lit] - 128) * contrast + 128 + light).clamp(0, 255)


def _hide(planes: Tensor, chance: Chance) -> None:
    """A patch of some images in one tone. Source: Zhong et al. 2017, arXiv:1708.04896 (random erasing)."""
    rows, size = chance.lot(torch.ones(len(planes), dtype=torch.bool, device=planes.device), 0.12), planes.shape[-1]
    place = torch.arange(size, device=planes.device, dtype=torch.float32)
    masks = []
    for _ in range(2):
        start, long = chance.uniform(0, 0.9 * size, len(rows), 1), chance.uniform(size / 12, size / 3, len(rows), 1)
        masks.append((place >= start) & (place < start + long))
    patch = (masks[0][:, :, None] & masks[1][:, None, :])[:, None]
    planes[rows] = torch.where(patch, chance.uniform(0, 255, len(rows), 3, 1, 1), planes[rows])


def _scan(planes: Tensor, chance: Chance) -> Tensor:
    """Blur, as of an enlarged picture, and noise."""
    everyone = torch.ones(len(planes), dtype=torch.bool, device=planes.device)
    blurred = chance.lot(everyone, 0.25)
    planes[blurred] = F.avg_pool2d(F.pad(planes[blurred], (1, 1, 1, 1), mode="replicate"), 3, 1)
    noisy = chance.lot(everyone, 0.15)
    part = planes[noisy]
    planes[noisy] = part + chance.normal(1, *part.shape) * chance.each(2, 14, len(noisy))
    return planes.clamp(0, 255)
