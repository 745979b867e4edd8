"""sound: small instruments made of sines and noise, a room around them, a level at the end."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from devstack.audio import SAMPLE_RATE, Samples
from devstack.demo.catalogue import Piece
from devstack.demo.score import Note, write

Wave = NDArray[np.float64]

_ROOM = {"ambient": 0.55, "piano": 0.35, "waltz": 0.3, "lofi": 0.2, "house": 0.16, "acid": 0.12, "chip": 0.06}
_TAIL_S = 3.0


def render(piece: Piece) -> Samples:
    """return a piece as stereo samples, 30 to 50 s long; cost: about a second, the same every time."""
    notes, beats = write(piece)
    beat_s = 60 / piece.bpm
    frames = int(((piece.bars + 1) * beats * beat_s + _TAIL_S) * SAMPLE_RATE)
    mix = np.zeros((frames, 2))
    random = np.random.default_rng(piece.seed)
    for note in notes:
        _place(mix, note, beat_s, random)
    room = _ROOM[piece.style]
    mix = (1 - room) * mix + room * _reverb(mix, random)
    return _level(mix).astype(np.float32)


def _place(mix: Wave, note: Note, beat_s: float, random: np.random.Generator) -> None:
    sound = INSTRUMENTS[note.instrument](440 * 2 ** ((note.pitch - 69) / 12), note.length * beat_s, random)
    start = int(note.start * beat_s * SAMPLE_RATE)
    sound = sound[: max(0, len(mix) - start)] * note.loudness
    side = 0.0 if note.instrument in ("kick", "bass", "acid", "drone") else random.uniform(-0.5, 0.5)
    mix[start : start + len(sound), 0] += sound * np.sqrt((1 - side) / 2)
    mix[start : start + len(sound), 1] += sound * np.sqrt((1 + side) / 2)


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _envelope(t: Wave, attack: float, release: float) -> Wave:
    end = t[-1] if t.size else 0.0
    shape: Wave = np.minimum(1, t / attack) * np.clip((end - t) / release, 0, 1)
    return shape


def _partials(hz: float, t: Wave, strengths: tuple[float, ...]) -> Wave:
    wave = np.zeros_like(t)
    for n, strength in enumerate(strengths, 1):
        if hz * n < 16_000:
            wave += strength * np.sin(2 * np.pi * hz * n * t)
    return wave


def _pad(hz: float, seconds: float, random: np.random.Generator) -> Wave:
    t = _time(seconds + 1.0)
    voices = [_partials(hz * d, t + random.random(), (0.5, 0.2, 0.12, 0.05, 0.03)) for d in (0.997, 1.0, 1.004)]
    swell = 1 + 0.2 * np.sin(2 * np.pi * 0.3 * t + random.random() * 6)
    return 0.22 * sum(voices, np.zeros_like(t)) * swell * _envelope(t, 0.5, 1.2)


def _drone(hz: float, seconds: float, random: np.random.Generator) -> Wave:
    t = _time(seconds + 1.5)
    wave = _partials(hz, t, (0.6, 0.25, 0.1)) + _partials(hz * 1.5, t + random.random(), (0.15, 0.05))
    return 0.4 * wave * _envelope(t, 1.5, 2.0)


def _keys(hz: float, seconds: float, _random: np.random.Generator) -> Wave:
    t = _time(seconds + 1.2)
    wave = _partials(hz, t, (0.6, 0.3, 0.12, 0.09, 0.04)) + 0.08 * np.sin(2 * np.pi * hz * 7 * t) * np.exp(-t * 30)
    return 0.55 * wave * np.exp(-t * (1.6 + hz / 700)) * _envelope(t, 0.004, 0.3)


def _bell(hz: float, seconds: float, _random: np.random.Generator) -> Wave:
    t = _time(seconds + 2.0)
    wobble = 2.2 * np.exp(-t * 3) * np.sin(2 * np.pi * hz * 2.76 * t)
    return 0.5 * np.sin(2 * np.pi * hz * t + wobble) * np.exp(-t * 2.2) * _envelope(t, 0.003, 0.4)


def _bass(hz: float, seconds: float, _random: np.random.Generator) -> Wave:
    t = _time(seconds)
    return 0.7 * _partials(hz, t, (0.8, 0.35, 0.15, 0.06)) * np.exp(-t * 2.5) * _envelope(t, 0.006, 0.08)


def _acid(hz: float, seconds: float, random: np.random.Generator) -> Wave:
    t = _time(seconds)
    open_to = 3 + 9 * random.random()
    wave = np.zeros_like(t)
    for n in range(1, 15):  # a saw whose upper partials fade with the filter
        wave += np.sin(2 * np.pi * hz * n * t) / n * np.exp(-((n / (1 + open_to * np.exp(-t * 9))) ** 2))
    return 0.75 * np.tanh(1.6 * wave) * _envelope(t, 0.004, 0.05)


def _stab(hz: float, seconds: float, random: np.random.Generator) -> Wave:
    t = _time(seconds + 0.25)
    wave = _partials(hz, t + random.random(), (0.5, 0.4, 0.3, 0.2, 0.12))
    return 0.4 * wave * np.exp(-t * 7) * _envelope(t, 0.004, 0.1)


def _pulse(hz: float, seconds: float, _random: np.random.Generator) -> Wave:
    t = _time(seconds)
    return 0.3 * np.tanh(6 * (np.sin(2 * np.pi * hz * t) - 0.35)) * np.exp(-t * 3) * _envelope(t, 0.002, 0.03)


def _triangle(hz: float, seconds: float, _random: np.random.Generator) -> Wave:
    t = _time(seconds)
    return 0.6 * (2 / np.pi) * np.arcsin(np.sin(2 * np.pi * hz * t)) * _envelope(t, 0.002, 0.04)


def _kick(_hz: float, _seconds: float, _random: np.random.Generator) -> Wave:
    t = _time(0.35)
    falling: Wave = np.sin(2 * np.pi * (48 * t + 9 * (1 - np.exp(-t * 28))))
    return falling * np.exp(-t * 9) * _envelope(t, 0.002, 0.05)


def _noise(seconds: float, fade: float, bright: float, random: np.random.Generator) -> Wave:
    t = _time(seconds)
    white = random.standard_normal(t.size)
    edge: Wave = np.diff(white, prepend=0.0)
    return (bright * edge + (1 - bright) * white) * np.exp(-t * fade) * _envelope(t, 0.001, 0.02)


def _snare(_hz: float, _seconds: float, random: np.random.Generator) -> Wave:
    t = _time(0.25)
    return 0.4 * _noise(0.25, 18, 0.4, random) + 0.5 * np.sin(2 * np.pi * 185 * t) * np.exp(-t * 25)


def _hat(_hz: float, _seconds: float, random: np.random.Generator) -> Wave:
    return 0.5 * _noise(0.12, 45, 1.0, random)


def _clap(_hz: float, _seconds: float, random: np.random.Generator) -> Wave:
    return 0.6 * _noise(0.2, 22, 0.6, random)


def _brush(_hz: float, _seconds: float, random: np.random.Generator) -> Wave:
    return 0.3 * _noise(0.3, 14, 0.8, random)


INSTRUMENTS: dict[str, Callable[[float, float, np.random.Generator], Wave]] = {
    "pad": _pad,
    "drone": _drone,
    "keys": _keys,
    "bell": _bell,
    "bass": _bass,
    "acid": _acid,
    "stab": _stab,
    "pulse": _pulse,
    "triangle": _triangle,
    "kick": _kick,
    "snare": _snare,
    "hat": _hat,
    "clap": _clap,
    "brush": _brush,
}


def _reverb(dry: Wave, random: np.random.Generator) -> Wave:
    """return what a large soft room answers: decaying noise, another for each ear."""
    t = _time(2.2)
    size = 1 << (len(dry) + len(t)).bit_length()
    wet = np.empty_like(dry)
    for ear in (0, 1):
        impulse = random.standard_normal(t.size) * np.exp(-t * 2.8)
        impulse = np.convolve(impulse, np.ones(6) / 6, "same")  # rooms swallow the highs
        impulse /= np.sqrt(np.sum(impulse**2))
        full = np.fft.irfft(np.fft.rfft(dry[:, ear], size) * np.fft.rfft(impulse, size), size)
        wet[:, ear] = full[: len(dry)]
    return wet


def _level(mix: Wave) -> Wave:
    loudness = float(np.sqrt(np.mean(mix**2)))
    mix = np.tanh(mix * (0.14 / loudness))
    mix *= 0.92 / float(np.max(np.abs(mix)))
    fade = int(1.5 * SAMPLE_RATE)
    mix[-fade:] *= np.linspace(1, 0, fade)[:, None]
    return mix
