"""covers drawn by rule and chance: one function per look, colours from a few palettes."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from devstack.demo.catalogue import Piece

SIZE = 1400
_DRAWN = 2 * SIZE  # drawn twice as large, so that edges come out smooth

Colour = tuple[int, int, int]
PALETTES: dict[str, tuple[str, ...]] = {
    "dusk": ("#1b1a3a", "#4b2e63", "#a4508b", "#f2a07b", "#ffe3b3"),
    "dawn": ("#2d4059", "#7d8ca3", "#ea9a8b", "#f7cfae", "#fff4e0"),
    "moss": ("#0f2a22", "#1f5c45", "#5b9a5f", "#c3d97c", "#f4f3c8"),
    "rose": ("#2b0f24", "#7a1f4d", "#d4526e", "#f6a6a1", "#fde8dc"),
    "deep": ("#04121f", "#0a2f4f", "#136f8a", "#4fc3b5", "#d7f5e3"),
    "signal": ("#14151a", "#f2efe6", "#ff4f2e", "#f7b718", "#2456d6"),
    "candy": ("#2a1e5c", "#ff6fa3", "#ffd166", "#58d6c9", "#fff3f7"),
    "heat": ("#2a0d2e", "#8f1d4f", "#f0533a", "#fca63c", "#ffe9a8"),
}


def draw(piece: Piece) -> Image.Image:
    """return the square cover of a piece; cost: about a second, the same every time."""
    random = np.random.default_rng(piece.seed + 1000)
    colours = [_rgb(code) for code in PALETTES[piece.palette]]
    picture = _LOOKS[piece.cover](colours, random)
    return _grain(picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS), random)


def _rgb(code: str) -> Colour:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(colours: list[Colour]) -> Image.Image:
    rows = np.linspace(0, len(colours) - 1, _DRAWN)
    stops = np.arange(len(colours))
    column = np.stack([np.interp(rows, stops, [c[band] for c in colours]) for band in range(3)], axis=-1)
    return Image.fromarray(np.repeat(column[:, None, :], _DRAWN, axis=1).astype(np.uint8))


def _dunes(colours: list[Colour], random: np.random.Generator) -> Image.Image:
    dark, far, near, glow, light = colours
    picture = _gradient([far, near, glow, light])
    pen = ImageDraw.Draw(picture)
    radius, x, y = _DRAWN * random.uniform(0.1, 0.16), _DRAWN * random.uniform(0.3, 0.7), _DRAWN * 0.42
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=light)
    across = np.linspace(0, _DRAWN, 200)
    for layer in range(7):
        depth = layer / 6
        height = _DRAWN * (0.46 + 0.085 * layer)
        ridge = np.full_like(across, height)
        for wave in range(1, 4):
            size = _DRAWN * 0.05 / wave * (0.5 + depth)
            ridge += size * np.sin(across / _DRAWN * math.tau * wave * random.uniform(0.5, 1.2) + random.uniform(0, 6))
        shape = [*zip(across.tolist(), ridge.tolist(), strict=True), (_DRAWN, _DRAWN), (0, _DRAWN)]
        pen.polygon(shape, fill=_mix(_mix(glow, far, 0.6), dark, depth))
    return picture


def _rings(colours: list[Colour], random: np.random.Generator) -> Image.Image:
    dark, *others = colours
    picture = Image.new("RGB", (_DRAWN, _DRAWN), dark)
    pen = ImageDraw.Draw(picture)
    x, y = _DRAWN * random.uniform(0.35, 0.65), _DRAWN * random.uniform(0.4, 0.6)
    for n in range(26, 0, -1):
        radius = _DRAWN * 0.032 * n
        shade = _mix(others[n % len(others)], dark, (n / 26) ** 0.7)
        shift = math.sin(n * 0.7) * _DRAWN * 0.02
        box = (x - radius + shift, y - radius, x + radius + shift, y + radius)
        pen.ellipse(box, fill=shade if n % 2 else dark)
    return picture


def _bloom(colours: list[Colour], random: np.random.Generator) -> Image.Image:
    dark, *others = colours
    picture = _gradient([dark, _mix(dark, others[0], 0.7)]).convert("RGBA")
    for ring in range(6, 0, -1):
        layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(layer)
        petals, reach, turn = 5 + 2 * ring, _DRAWN * 0.075 * ring, random.uniform(0, math.tau)
        for petal in range(petals):
            angle = turn + math.tau * petal / petals
            pen.polygon(_petal(angle, reach), fill=(*others[(ring + petal % 2) % len(others)], 150))
        picture = Image.alpha_composite(picture, layer)
    pen = ImageDraw.Draw(picture)
    heart, middle = _DRAWN * 0.035, _DRAWN / 2
    pen.ellipse((middle - heart, middle - heart, middle + heart, middle + heart), fill=(*others[-1], 255))
    return picture.convert("RGB")


def _petal(angle: float, reach: float) -> list[tuple[float, float]]:
    points = []
    for step in np.linspace(0, math.tau, 60):
        along, across = reach * (1 - math.cos(step)) / 2, reach * 0.2 * math.sin(step) * math.sin(step / 2)
        x, y = along * math.cos(angle) - across * math.sin(angle), along * math.sin(angle) + across * math.cos(angle)
        points.append((_DRAWN / 2 + x, _DRAWN / 2 + y))
    return points


def _grid(colours: list[Colour], random: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (_DRAWN, _DRAWN), colours[0])
    pen = ImageDraw.Draw(picture)
    cell = _DRAWN // 5
    for column in range(5):
        for row in range(5):
            back, front = (colours[int(n)] for n in random.choice(len(colours), 2, replace=False))
            left, top = column * cell, row * cell
            pen.rectangle((left, top, left + cell, top + cell), fill=back)
            _tile(pen, left, top, cell, front, int(random.integers(6)))
    return picture


def _tile(pen: ImageDraw.ImageDraw, left: int, top: int, cell: int, colour: Colour, kind: int) -> None:
    if kind < 4:  # a quarter of a circle, about one of the corners
        x, y = left + cell * (kind % 2), top + cell * (kind // 2)
        start = (0, 90, 270, 180)[kind]
        pen.pieslice((x - cell, y - cell, x + cell, y + cell), start, start + 90, fill=colour)
    elif kind == 4:
        inset = cell // 5
        pen.ellipse((left + inset, top + inset, left + cell - inset, top + cell - inset), fill=colour)
    else:
        for stripe in range(0, 5, 2):
            pen.rectangle((left, top + stripe * cell // 5, left + cell, top + (stripe + 1) * cell // 5), fill=colour)


def _sun(colours: list[Colour], random: np.random.Generator) -> Image.Image:
    dark, far, near, glow, light = colours
    picture = _gradient([dark, far, near, glow])
    middle, radius, horizon = _DRAWN / 2, _DRAWN * 0.27, _DRAWN * 0.64
    disc = _gradient([light, glow, near])
    mask = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(mask)
    centre = horizon - radius * random.uniform(0.55, 0.85)
    pen.ellipse((middle - radius, centre - radius, middle + radius, centre + radius), fill=255)
    for slit in range(8):
        y = horizon - slit * radius * 0.13
        pen.rectangle((0, y, _DRAWN, y + radius * 0.06 * (1 - slit / 9)), fill=0)
    picture.paste(disc, mask=mask)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, horizon, _DRAWN, _DRAWN), fill=dark)
    for line in range(1, 14):
        y = horizon + (_DRAWN - horizon) * (line / 13) ** 2.2
        pen.line((0, y, _DRAWN, y), fill=_mix(near, dark, 0.3), width=6)
    for line in range(-14, 15):
        pen.line((middle + line * 90, horizon, middle + line * 620, _DRAWN), fill=_mix(near, dark, 0.45), width=5)
    return picture


def _grain(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """give a flat picture the tooth of paper."""
    noise = Image.fromarray((random.standard_normal((SIZE, SIZE)) * 9 + 128).clip(0, 255).astype(np.uint8))
    noise = noise.filter(ImageFilter.GaussianBlur(0.6))
    pixels = np.asarray(picture).astype(np.int16) + (np.asarray(noise).astype(np.int16) - 128)[:, :, None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


_LOOKS: dict[str, Callable[[list[Colour], np.random.Generator], Image.Image]] = {
    "dunes": _dunes,
    "rings": _rings,
    "bloom": _bloom,
    "grid": _grid,
    "sun": _sun,
}
