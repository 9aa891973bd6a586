"""What a drawing or photo may look like elsewhere: augmentation of whole batches, in place of a data loader.

Line art varies in stroke width, filled or outlined shapes, ink and paper, sheet frames, size and place on the sheet,
small rotations, scan noise and blur; photos in crop, mirror and light. Pixels are 0..255, planes (n, 3, s, s).
"""

import io
import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def augment(pixels: NDArray[np.uint8], line_art: NDArray[np.bool_], size: int, chance: np.random.Generator) -> Tensor:
    """(n, s, s, 3) uint8 -> (n, 3, size, size) float32, every image changed in its own way."""
    pixels = _recompress(pixels, chance)
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    drawn = torch.from_numpy(line_art)
    planes = _strokes(planes, drawn, chance)
    planes = _move(planes, drawn, size, chance)
    planes = _sheet(planes, drawn, chance)
    planes = _colours(planes, drawn, chance)
    return _scan(planes, chance)


def turned(pixels: NDArray[np.uint8], sheets: NDArray[np.bool_], chance: np.random.Generator) -> NDArray[np.uint8]:
    """Some of the `sheets` turned by a quarter (or two), some mirrored: the same part is the same on any sheet."""
    pixels = pixels.copy()
    for row in np.flatnonzero(sheets & (chance.random(len(sheets)) < 0.3)):
        pixels[row] = np.rot90(pixels[row], chance.choice((1, 1, 2, 3, 3)))
    for row in np.flatnonzero(sheets & (chance.random(len(sheets)) < 0.12)):
        pixels[row] = pixels[row][:, ::-1]
    return pixels


def _some(among: Tensor, share: float, chance: np.random.Generator) -> Tensor:
    """Row numbers: each row of `among` with probability `share`."""
    lot = torch.from_numpy(chance.random(len(among))) < share
    return (among & lot).nonzero()[:, 0]


def _uniform(low: float, high: float, n: int, chance: np.random.Generator) -> Tensor:
    return torch.from_numpy(chance.uniform(low, high, n).astype(np.float32))[:, None, None, None]


def _recompress(pixels: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
    """A fifth of the images through a JPEG of low quality."""
    pixels = pixels.copy()
    for row in np.flatnonzero(chance.random(len(pixels)) < 0.2):
        file = io.BytesIO()
        Image.fromarray(pixels[row]).save(file, "JPEG", quality=int(chance.integers(25, 85)))
        pixels[row] = np.asarray(Image.open(file))
    return pixels


def _strokes(planes: Tensor, drawn: Tensor, chance: np.random.Generator) -> Tensor:
    """Thicker or thinner lines, and filled shapes turned into outlines."""
    thicker = _some(drawn, 0.3, chance)
    if len(thicker):
        part = planes[thicker]
        share = _uniform(0.2, 1.0, len(part), chance)
        planes[thicker] = part + share * (-F.max_pool2d(-part, 3, 1, 1) - part)
    thinner = _some(drawn, 0.2, chance)
    if len(thinner):
        part = planes[thinner]
        share = _uniform(0.2, 0.7, len(part), chance)
        planes[thinner] = part + share * (F.max_pool2d(part, 3, 1, 1) - part)
    outlined = _some(drawn, 0.12, chance)
    if len(outlined):
        part = planes[outlined]
        planes[outlined] = 255 - (F.max_pool2d(part, 3, 1, 1) + F.max_pool2d(-part, 3, 1, 1))
    return planes


def _move(planes: Tensor, drawn: Tensor, size: int, chance: np.random.Generator) -> Tensor:
    """Turned, scaled, stretched and shifted on white; photos also mirrored and cropped."""
    n = len(planes)
    art = drawn.numpy()
    angle = np.where(art, chance.normal(0, 6, n), chance.normal(0, 4, n)) * math.pi / 180
    scale = np.where(art, np.exp(chance.uniform(math.log(0.55), math.log(1.1), n)), chance.uniform(0.85, 1.35, n))
    stretch = np.exp(chance.normal(0, 0.08, n))
    mirror = np.where(~art & (chance.random(n) < 0.5), -1.0, 1.0)
    room = np.abs(1 - scale) * 0.9
    matrix = np.zeros((n, 2, 3), np.float32)
    matrix[:, 0, 0] = np.cos(angle) / scale * stretch * mirror
    matrix[:, 0, 1] = -np.sin(angle) / scale
    matrix[:, 1, 0] = np.sin(angle) / scale * mirror
    matrix[:, 1, 1] = np.cos(angle) / scale / stretch
    matrix[:, 0, 2] = chance.uniform(-1, 1, n) * room / scale
    matrix[:, 1, 2] = chance.uniform(-1, 1, n) * room / scale
    grid = F.affine_grid(torch.from_numpy(matrix), [n, 3, size, size], align_corners=False)
    return 255 - F.grid_sample(255 - planes, grid, padding_mode="zeros", align_corners=False)


def _sheet(planes: Tensor, drawn: Tensor, chance: np.random.Generator) -> Tensor:
    """A frame and a title block around some drawings."""
    size = planes.shape[-1]
    for row in _some(drawn, 0.12, chance).tolist():
        edge = int(chance.integers(1, size // 16 + 2))
        ink = float(chance.uniform(0, 120))
        frame = planes[row, :, edge:-edge, edge:-edge]
        frame[:, 0], frame[:, -1] = ink, ink
        frame[:, :, 0], frame[:, :, -1] = ink, ink
        if chance.random() < 0.6:
            tall, wide = (int(chance.integers(size // 12, size // (6 - k))) for k in (0, 3))
            block = frame[:, -tall:, -wide:]
            block[:] = 255
            block[:, :: max(3, tall // int(chance.integers(2, 5)))] = ink
            block[:, :, 0] = ink
            block[:, :, wide // int(chance.integers(2, 4))] = ink
    return planes


def _colours(planes: Tensor, drawn: Tensor, chance: np.random.Generator) -> Tensor:
    """Other inks and papers, a few of them white on black; contrast and light of photos."""
    tinted = _some(drawn, 0.25, chance)
    if len(tinted):
        ink = torch.from_numpy(chance.uniform(0, 150, (len(tinted), 3, 1, 1)).astype(np.float32))
        paper = torch.from_numpy(chance.uniform(190, 255, (len(tinted), 3, 1, 1)).astype(np.float32))
        planes[tinted] = ink + (paper - ink) * planes[tinted] / 255
    inverted = _some(drawn, 0.08, chance)
    planes[inverted] = 255 - planes[inverted]
    lit = _some(~drawn, 0.5, chance)
    if len(lit):
        contrast, light = _uniform(0.7, 1.3, len(lit), chance), _uniform(-25, 25, len(lit), chance)
        planes[lit] = ((planes[lit] - 128) * contrast + 128 + light).clamp(0, 255)
    return planes


def _scan(planes: Tensor, chance: np.random.Generator) -> Tensor:
    """Blur, as of an enlarged picture, and noise."""
    everyone = torch.ones(len(planes), dtype=torch.bool)
    blurred = _some(everyone, 0.25, chance)
    if len(blurred):
        planes[blurred] = F.avg_pool2d(F.pad(planes[blurred], (1, 1, 1, 1), mode="replicate"), 3, 1)
    noisy = _some(everyone, 0.15, chance)
    if len(noisy):
        planes[noisy] += torch.randn_like(planes[noisy]) * _uniform(2, 14, len(noisy), chance)
    return planes.clamp(0, 255)
