"""Photo-like pictures of a solid: perspective camera, key and fill light, reflections, a soft shadow on the ground."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cmrcli.samples.backdrop import backdrop
from cmrcli.samples.finishes import FINISHES, Finish
from cmrcli.samples.solid import Array, Solid, rotation
from cmrcli.samples.zbuffer import coverage, nearest_triangles

Single = NDArray[np.float32]  # single precision: half the memory traffic for every pixel
OVERSAMPLE = 2
# How a part may lie on the ground: turns applied before the random turn about the vertical.
POSES: dict[str, Array] = {
    "as_drawn": np.eye(3),
    "x_up": rotation("y", -90),
    "x_down": rotation("y", 90),
    "on_back": rotation("x", -90),
    "on_face": rotation("x", 90),
    "upside_down": rotation("x", 180),
}


@dataclass(frozen=True)
class Scene:
    """What varies from one picture to the next; angles in degrees."""

    pose: str
    yaw: float
    tilt: float  # about the horizontal: propped up or lying unevenly
    elevation: float
    distance: float  # in radii of the part: small is a wide-angle close-up
    fill: float  # share of the frame that the part takes
    shift: tuple[float, float]
    key: tuple[float, float]  # azimuth and elevation of the key light
    key_strength: float
    ambient: float
    warmth: float
    shadow: float
    noise: float
    blur: float

    @staticmethod
    def random(rng: Random, poses: tuple[str, ...]) -> "Scene":
        """A plausible snapshot on a bench."""
        return Scene(
            pose=rng.choice(poses),
            yaw=rng.uniform(0, 360),
            tilt=rng.uniform(-12, 12) if rng.random() < 0.2 else 0.0,
            elevation=rng.choice((rng.uniform(14, 35), rng.uniform(25, 50), rng.uniform(45, 82))),
            distance=rng.uniform(3.2, 9.0),
            fill=rng.uniform(0.62, 0.92),
            shift=(rng.uniform(-0.07, 0.07), rng.uniform(-0.06, 0.06)),
            key=(rng.uniform(-160, 160), rng.uniform(30, 75)),
            key_strength=rng.uniform(0.55, 1.0),
            ambient=rng.uniform(0.25, 0.5),
            warmth=rng.gauss(0, 0.04),
            shadow=rng.uniform(0.15, 0.75),
            noise=rng.choice((0.0, rng.uniform(0.0, 0.02), rng.uniform(0.01, 0.04))),
            blur=rng.choice((0.0, 0.0, rng.uniform(0.2, 0.9))),
        )


def render(solid: Solid, finish: str, rng: Random, size: tuple[int, int], poses: tuple[str, ...]) -> Image.Image:
    """An RGB picture of `size` (width, height) pixels; everything random comes from `rng`."""
    scene = Scene.random(rng, poses)
    noise = np.random.default_rng(rng.getrandbits(32))
    w, h = size[0] * OVERSAMPLE, size[1] * OVERSAMPLE
    corners, normals, tones, tone = solid.mesh()
    turn = rotation("z", scene.yaw) @ rotation("x", scene.tilt) @ POSES[scene.pose]
    corners, normals = corners @ turn.T, normals @ turn.T
    low, high = corners.reshape(-1, 3).min(axis=0), corners.reshape(-1, 3).max(axis=0)
    corners = (corners - [*(low[:2] + high[:2]) / 2, low[2]]) / (float(np.linalg.norm(high - low)) / 2)
    camera = _Camera.framing(corners, scene, w, h)
    screen = camera.project(corners)
    nearest, _ = nearest_triangles(screen, w, h)
    light = _direction(*scene.key)
    picture = np.asarray(backdrop(rng, noise, (size[0], size[1]), camera.horizon / OVERSAMPLE)).astype(np.float32) / 255
    picture *= _shadow(corners, light, camera, scene, size)[:, :, None].astype(np.float32)
    picture = picture.repeat(OVERSAMPLE, axis=0).repeat(OVERSAMPLE, axis=1)
    ys, xs = np.nonzero(nearest >= 0)
    if len(ys):
        tri = nearest[ys, xs]
        normal, where = _interpolated(screen[tri], normals[tri], corners[tri], xs, ys)
        table = [FINISHES[finish if t == "main" else t] for t in tones]
        colour = _shaded(normal, where, tone[tri], table, camera, light, scene, rng)
        picture[ys, xs] = colour * _contact(ys, xs, where, nearest)[:, None]
    picture *= np.array([1 + scene.warmth, 1.0, 1 - scene.warmth], dtype=np.float32)
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8), "RGB").reduce(OVERSAMPLE)
    if scene.blur:
        image = image.filter(ImageFilter.GaussianBlur(scene.blur * max(size) / 256))
    if scene.noise:
        grain = noise.normal(0, scene.noise * 255, (size[1], size[0], 3))
        image = Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8), "RGB")
    return image


@dataclass(frozen=True)
class _Camera:
    """A pinhole camera above the ground: `axes` rows are right, up and backwards (towards the eye)."""

    axes: Array
    eye: Array
    focal: float
    centre: tuple[float, float]
    horizon: float  # screen y of the horizon, pixels

    @staticmethod
    def framing(corners: Array, scene: Scene, w: int, h: int) -> "_Camera":
        """The camera that shows the part filling the asked share of the frame."""
        e = math.radians(scene.elevation)
        back = np.array([0.0, -math.cos(e), math.sin(e)])
        axes = np.stack([np.array([1.0, 0, 0]), np.array([0.0, math.sin(e), math.cos(e)]), back])
        points = corners.reshape(-1, 3)
        eye = points.mean(axis=0) + back * scene.distance
        seen = (points - eye) @ axes.T
        flat = seen[:, :2] / -seen[:, 2:]
        low, high = flat.min(axis=0), flat.max(axis=0)
        focal = scene.fill * min(w / (high - low)[0], h / (high - low)[1])
        cx, cy = (low + high) / 2 * focal
        x0, y0 = w * (0.5 + scene.shift[0] * (1 - scene.fill) * 2), h * (0.5 + scene.shift[1])
        return _Camera(axes, eye, focal, (x0 - cx, y0 + cy), y0 + cy - focal * math.tan(e))

    def project(self, points: Array) -> Array:
        """Screen x, y (down) and one over the distance, (..., 3)."""
        seen = (points - self.eye) @ self.axes.T
        near = 1.0 / np.maximum(-seen[..., 2], 1e-6)
        x = self.centre[0] + self.focal * seen[..., 0] * near
        y = self.centre[1] - self.focal * seen[..., 1] * near
        return np.stack([x, y, near], axis=-1)


def _direction(azimuth: float, elevation: float) -> Single:
    a, e = math.radians(azimuth), math.radians(elevation)
    towards = (math.cos(e) * math.sin(a), -math.cos(e) * math.cos(a), math.sin(e))
    return np.array(towards, dtype=np.float32)


def _interpolated(
    screen: Array, normals: Array, corners: Array, xs: NDArray[np.int64], ys: NDArray[np.int64]
) -> tuple[Single, Single]:
    """Normals and positions at pixel centres, (n, 3) each, by barycentric coordinates on the screen."""
    ax, ay = screen[:, 0, 0], screen[:, 0, 1]
    bx, by, cx, cy = screen[:, 1, 0] - ax, screen[:, 1, 1] - ay, screen[:, 2, 0] - ax, screen[:, 2, 1] - ay
    det = bx * cy - cx * by
    px, py = xs + 0.5 - ax, ys + 0.5 - ay
    v, w = (px * cy - cx * py) / det, (bx * py - px * by) / det
    share = np.stack([1 - v - w, v, w], axis=1)[:, :, None].astype(np.float32)
    normal, where = ((share * a.astype(np.float32)).sum(axis=1) for a in (normals, corners))
    normal /= np.sqrt((normal * normal).sum(axis=1))[:, None] + np.float32(1e-9)
    return normal, where


def _shaded(
    normal: Single,
    where: Single,
    tone: NDArray[np.int64],
    table: list[Finish],
    camera: _Camera,
    light: Single,
    scene: Scene,
    rng: Random,
) -> Single:
    """Colours 0..1 (display values) of the surface points, (n, 3)."""
    view = camera.eye.astype(np.float32) - where
    view /= np.linalg.norm(view, axis=1)[:, None]
    facing = np.clip((normal * view).sum(axis=1), 0, 1)
    mirror = 2 * facing[:, None] * normal - view
    columns = np.array([(*f.colour, f.metallic, f.roughness, f.grain) for f in table], dtype=np.float32)[tone]
    base, metal, rough, grain = columns[:, :3], columns[:, 3], columns[:, 4], columns[:, 5]
    texture = _grain(where, rng)
    key = np.clip(normal @ light, 0, 1) * scene.key_strength
    fill_light = _direction(rng.uniform(-180, 180), rng.uniform(10, 50))
    fill = np.clip(normal @ fill_light, 0, 1) * 0.35 + (0.5 + 0.5 * normal[:, 2]) * scene.ambient
    diffuse = (key * 1.05 + fill)[:, None] * base
    half = light + view
    half /= np.linalg.norm(half, axis=1)[:, None]
    gloss = 2 + 120 * (1 - rough) ** 2
    highlight = np.clip((normal * half).sum(axis=1), 0, 1) ** gloss * scene.key_strength * (1 - 0.75 * rough)
    around = _surroundings(mirror, rough, rng)
    fresnel = 0.04 + 0.5 * (1 - facing) ** 5
    polished = base * (around + 0.18 * (key + fill))[:, None] + highlight[:, None] * (0.4 + 0.6 * base)
    dull = diffuse + (highlight * 0.6 + fresnel * around * (1 - rough))[:, None]
    out = metal[:, None] * polished + (1 - metal)[:, None] * dull
    out *= (1 + grain * texture)[:, None]
    return np.asarray(np.sqrt(np.clip(out, 0, 1)), dtype=np.float32)


def _surroundings(direction: Single, rough: Single, rng: Random) -> Single:
    """Brightness of a made-up workshop in a direction: bright ceiling, dark horizon, two long lamps, (n,)."""
    soft = 0.03 + 0.45 * rough**1.5
    z = direction[:, 2]
    sky = 1 / (1 + np.exp(-(z - rng.uniform(-0.1, 0.25)) / soft))
    ground = np.exp(-(((z + 0.45) / (0.3 + soft)) ** 2))
    out = rng.uniform(0.03, 0.12) + rng.uniform(0.3, 0.6) * sky * (1.15 - 0.5 * z) + rng.uniform(0.08, 0.25) * ground
    for _ in range(2):
        lamp = _direction(rng.uniform(-180, 180), rng.uniform(15, 70))
        out += rng.uniform(0.3, 0.8) * (1.1 - rough) * np.exp((direction @ lamp - 1) / (0.02 + 0.25 * rough**2 + 0.03))
    return np.asarray(out, dtype=np.float32)


def _grain(where: Single, rng: Random) -> Single:
    """Cheap solid noise about -1..1: a few sine waves and a hash, fixed to the surface, (n,)."""
    out = np.zeros(len(where), dtype=np.float32)
    for k in range(3):
        wave = np.array([rng.uniform(-1, 1) * 9 * 2.3**k for _ in range(3)], dtype=np.float32)
        out += np.sin(where @ wave + rng.uniform(0, 6)) / 3
    cell = np.floor(where * 70).astype(np.int64) @ np.array([73856093, 19349663, 83492791])
    speck = ((cell * 2654435761) >> 7 & 1023).astype(np.float32) / 511.5 - 1
    return np.asarray(0.1 * out + 0.7 * speck, dtype=np.float32)


def _contact(ys: NDArray[np.int64], xs: NDArray[np.int64], where: Single, nearest: NDArray[np.int64]) -> Single:
    """Darkening of corners and of the foot of the part: a cheap stand-in for ambient occlusion, (n,)."""
    h, w = nearest.shape
    depth = np.zeros((h, w), dtype=np.float32)
    depth[ys, xs] = where[:, 1]
    inside = (nearest >= 0).astype(np.float32)
    r = max(2, w // 40)
    mean = _box_mean(depth, r) / np.maximum(_box_mean(inside, r), 1e-6)
    behind = depth[ys, xs] - mean[ys, xs]
    foot = np.exp(-np.clip(where[:, 2], 0, None) / 0.05)
    return np.asarray(np.clip(1 - 2.2 * np.clip(behind, 0, 0.2) - 0.25 * foot, 0.35, 1), dtype=np.float32)


def _box_mean(a: Single, r: int) -> Single:
    padded = np.pad(a, r + 1)
    total = padded.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    k = 2 * r + 1
    h, w = a.shape
    out = total[k : k + h, k : k + w] - total[:h, k : k + w] - total[k : k + h, :w] + total[:h, :w]
    return np.asarray(out / (k * k), dtype=np.float32)


def _shadow(corners: Array, light: Single, camera: _Camera, scene: Scene, size: tuple[int, int]) -> Array:
    """Light that reaches the ground, 0..1, (height, width): a sharp cast shadow softened, and a dark foot."""
    cast = corners.copy()
    cast[:, :, :2] -= cast[:, :, 2:] * light[:2] / light[2]
    cast[:, :, 2] = 0
    foot = corners * [1.0, 1.0, 0.0]
    w, h = size
    out = np.ones((h, w))
    for points, strength, radius in ((cast, scene.shadow, 0.02), (foot, 0.5 * scene.shadow + 0.15, 0.035)):
        mask = coverage(camera.project(points) / [OVERSAMPLE, OVERSAMPLE, 1], w, h)
        soft = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius * max(w, h)))
        out *= 1 - strength * np.asarray(soft) / 255
    return out
