"""notes: a scale, a chord progression, and what each part of a style plays over it."""

from dataclasses import dataclass

import numpy as np

from devstack.demo.catalogue import Piece

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}
_PROGRESSIONS = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (3, 0, 4, 5)),
    "minor": ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6)),
    "dorian": ((0, 3, 0, 6), (0, 2, 3, 6), (0, 4, 3, 6)),
    "lydian": ((0, 1, 4, 0), (0, 4, 1, 5), (0, 1, 5, 1)),
}


@dataclass(frozen=True)
class Note:
    """one sound: instrument, start and length in beats, pitch as midi (drums ignore it), loudness 0–1."""

    instrument: str
    start: float
    length: float
    pitch: float
    loudness: float


@dataclass
class Writer:
    """collects the notes of one piece; its random numbers come from the piece's seed."""

    piece: Piece
    beats: int

    def __post_init__(self) -> None:
        self.notes: list[Note] = []
        self.random = np.random.default_rng(self.piece.seed)
        choices = _PROGRESSIONS[self.piece.scale]
        self.progression = choices[self.random.integers(len(choices))]

    def pitch(self, degree: int, octave: int = 0) -> int:
        """return a scale degree as midi."""
        steps = SCALES[self.piece.scale]
        return self.piece.root + steps[degree % 7] + 12 * (degree // 7 + octave)

    def chord(self, bar: int, size: int = 4) -> list[int]:
        """return the degrees of the chord of a bar, in thirds."""
        first = self.progression[bar % len(self.progression)]
        return [first + 2 * n for n in range(size)]

    def add(self, instrument: str, start: float, length: float, pitch: float, loudness: float) -> None:
        """write one note, a little off the beat and never twice as loud the same way."""
        human = self.random.normal(0, 0.008)
        self.notes.append(
            Note(instrument, max(0.0, start + human), length, pitch, loudness * self.random.uniform(0.85, 1))
        )

    def pad(self, bar: int, loudness: float = 0.3, octave: int = 0) -> None:
        """hold a bar's chord."""
        for degree in self.chord(bar):
            self.add("pad", bar * self.beats, self.beats * 1.15, self.pitch(degree, octave), loudness)

    def bass(self, bar: int, pattern: tuple[float, ...], instrument: str = "bass", octave: int = -1) -> None:
        """play a bar's root at the given beats."""
        for beat in pattern:
            self.add(instrument, bar * self.beats + beat, 0.6, self.pitch(self.chord(bar)[0], octave), 0.6)

    def arpeggio(self, bar: int, instrument: str, step: float, loudness: float, octave: int = 1) -> None:
        """break a bar's chord into even notes, with turns."""
        degrees = self.chord(bar)
        for n in range(int(self.beats / step)):
            degree = degrees[(n + bar) % len(degrees)] + (7 if self.random.random() < 0.2 else 0)
            self.add(instrument, bar * self.beats + n * step, step * 1.8, self.pitch(degree, octave), loudness)

    def melody(self, bar: int, instrument: str, density: float, loudness: float, octave: int = 1) -> None:
        """wander near the chord, leaving room."""
        beat, degree = 0.0, self.chord(bar)[int(self.random.integers(3))]
        while beat < self.beats:
            length = float(self.random.choice([0.5, 1, 1, 1.5, 2]))
            if self.random.random() < density:
                self.add(instrument, bar * self.beats + beat, length * 1.3, self.pitch(degree, octave), loudness)
            degree = int(np.clip(degree + self.random.integers(-2, 3), 0, 9))
            beat += length

    def drums(self, bar: int, **patterns: tuple[float, ...]) -> None:
        """hit each named drum at its beats."""
        loudness = {"kick": 0.9, "snare": 0.5, "hat": 0.22, "clap": 0.4, "brush": 0.25}
        for drum, beats in patterns.items():
            for beat in beats:
                self.add(drum, bar * self.beats + beat, 0.5, 0, loudness[drum])


def write(piece: Piece) -> tuple[list[Note], int]:
    """return the notes of a piece and how many beats a bar has."""
    beats = 3 if piece.style == "waltz" else 4
    writer = Writer(piece, beats)
    for bar in range(piece.bars):
        _STYLES[piece.style](writer, bar)
    _ending(writer)
    return writer.notes, beats


def _ending(writer: Writer) -> None:
    last = writer.piece.bars
    for degree in (0, 2, 4, 7):
        writer.add("pad", last * writer.beats, writer.beats, writer.pitch(degree), 0.3)


def _ambient(writer: Writer, bar: int) -> None:
    writer.pad(bar, 0.35)
    if bar % 2 == 0:
        writer.add("drone", bar * 4, 8, writer.pitch(writer.chord(bar)[0], -1), 0.4)
    if bar > 1:
        writer.melody(bar, "bell", 0.45, 0.25, octave=2)


def _piano(writer: Writer, bar: int) -> None:
    writer.arpeggio(bar, "keys", 0.5, 0.34)
    writer.bass(bar, (0,), "keys", octave=-1)
    if bar % 4 != 0:
        writer.melody(bar, "keys", 0.7, 0.5, octave=2)
    if bar > 3:
        writer.pad(bar, 0.14)


def _waltz(writer: Writer, bar: int) -> None:
    writer.bass(bar, (0,), "keys")
    for beat in (1, 2):
        for degree in writer.chord(bar, 3):
            writer.add("keys", bar * 3 + beat, 0.7, writer.pitch(degree), 0.22)
    if bar > 3:
        writer.melody(bar, "keys", 0.8, 0.5, octave=1)
    if bar > 7:
        writer.drums(bar, brush=(1, 2))


def _lofi(writer: Writer, bar: int) -> None:
    for beat in (0, 1.5, 2.75):
        for degree in writer.chord(bar):
            writer.add("keys", bar * 4 + beat, 1.2, writer.pitch(degree), 0.2)
    writer.bass(bar, (0, 1.5, 2.5))
    if bar > 1:
        writer.drums(bar, kick=(0, 1.75, 2.5), snare=(1, 3), hat=tuple(n / 2 + 0.06 * (n % 2) for n in range(8)))
    if bar % 4 in (2, 3):
        writer.melody(bar, "bell", 0.6, 0.28)


def _house(writer: Writer, bar: int) -> None:
    if bar < writer.piece.bars - 2:
        writer.drums(bar, kick=(0, 1, 2, 3))
    if bar > 3:
        writer.drums(bar, hat=(0.5, 1.5, 2.5, 3.5), clap=(1, 3))
    if bar > 1:
        writer.bass(bar, (0.5, 1.5, 1.75, 2.5, 3.5), octave=0)
    if bar > 5:
        for beat in (0, 1.5, 3):
            for degree in writer.chord(bar):
                writer.add("stab", bar * 4 + beat, 0.35, writer.pitch(degree, 1), 0.2)
    writer.pad(bar, 0.16, octave=1)


def _acid(writer: Writer, bar: int) -> None:
    writer.drums(bar, kick=(0, 1, 2, 3))
    if bar > 3:
        writer.drums(bar, hat=tuple(n / 4 for n in range(16) if n % 4), clap=(1, 3))
    steps = np.random.default_rng(writer.piece.seed)  # the same riff in every bar
    for n in range(16):
        degree, octave, played = int(steps.choice([0, 0, 2, 4, 6])), int(steps.integers(0, 2)), steps.random() < 0.8
        if played:
            writer.add("acid", bar * 4 + n / 4, 0.3, writer.pitch(degree, octave), 0.35 + 0.2 * bar / writer.piece.bars)


def _chip(writer: Writer, bar: int) -> None:
    writer.arpeggio(bar, "pulse", 0.25, 0.16, octave=1)
    writer.bass(bar, (0, 0.75, 1.5, 2, 2.75, 3.5), "triangle")
    if bar > 1:
        writer.melody(bar, "pulse", 0.9, 0.3, octave=1)
    if bar > 3:
        writer.drums(bar, kick=(0, 2), snare=(1, 3), hat=(0.5, 1.5, 2.5, 3.5))


_STYLES = {
    "ambient": _ambient,
    "piano": _piano,
    "waltz": _waltz,
    "lofi": _lofi,
    "house": _house,
    "acid": _acid,
    "chip": _chip,
}
