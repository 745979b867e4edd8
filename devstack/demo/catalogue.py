"""what the demo publishes: who made it, how it sounds, how it looks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Artist:
    """one of the two people of the local network."""

    handle: str
    name: str
    bio: str


@dataclass(frozen=True)
class Piece:
    """one track; `seed` decides its notes and its cover."""

    artist: str
    title: str
    album: str
    style: str
    cover: str
    palette: str
    extension: str
    seed: int
    bpm: int
    root: int
    """the tonic as a midi note"""
    scale: str
    bars: int
    tags: tuple[str, ...]
    description: str


ARTISTS = (
    Artist("alice.test", "alice lumen", "quiet things for late hours. piano, tape, weather."),
    Artist("bob.test", "bob kasten", "drum machines in a garden shed. loud neighbours welcome."),
)

_ALICE = "alice.test"
_BOB = "bob.test"
_GARDEN = "night garden"
_BOATS = "paper boats"
_SHED = "shed tapes"
_SUMMER = "concrete summer"

PIECES = (
    Piece(
        _ALICE,
        "moth hour",
        _GARDEN,
        "ambient",
        "dunes",
        "dusk",
        "flac",
        11,
        66,
        57,
        "dorian",
        12,
        ("ambient", "drone", "night"),
        "one chord that keeps changing its mind. recorded nowhere.",
    ),
    Piece(
        _ALICE,
        "rain on the greenhouse",
        _GARDEN,
        "piano",
        "bloom",
        "moss",
        "flac",
        12,
        84,
        60,
        "major",
        14,
        ("piano", "ambient", "rain"),
        "small notes falling on glass.",
    ),
    Piece(
        _ALICE,
        "foxglove",
        _GARDEN,
        "waltz",
        "bloom",
        "rose",
        "m4a",
        13,
        108,
        62,
        "minor",
        28,
        ("piano", "waltz", "night"),
        "three steps, then three more.",
    ),
    Piece(
        _ALICE,
        "lantern fish",
        _GARDEN,
        "ambient",
        "rings",
        "deep",
        "opus",
        14,
        72,
        52,
        "lydian",
        14,
        ("ambient", "drone", "ocean"),
        "headphones, lights off.",
    ),
    Piece(
        _ALICE,
        "paper boats",
        _BOATS,
        "lofi",
        "dunes",
        "dawn",
        "mp3",
        15,
        78,
        57,
        "major",
        14,
        ("lofi", "piano", "morning"),
        "folded from old sheet music.",
    ),
    Piece(
        _ALICE,
        "ferry to nowhere",
        _BOATS,
        "waltz",
        "dunes",
        "deep",
        "flac",
        16,
        96,
        55,
        "dorian",
        26,
        ("waltz", "piano", "ocean"),
        "the timetable said it would be back by six.",
    ),
    Piece(
        _BOB,
        "extension cord",
        _SHED,
        "house",
        "grid",
        "signal",
        "flac",
        21,
        122,
        45,
        "minor",
        26,
        ("house", "electronic", "drum machine"),
        "forty metres of orange cable and one idea.",
    ),
    Piece(
        _BOB,
        "lawnmower acid",
        _SHED,
        "acid",
        "grid",
        "moss",
        "mp3",
        22,
        126,
        43,
        "minor",
        26,
        ("acid", "electronic", "drum machine"),
        "the neighbour started it.",
    ),
    Piece(
        _BOB,
        "8 bit radish",
        _SHED,
        "chip",
        "grid",
        "candy",
        "flac",
        23,
        138,
        60,
        "major",
        24,
        ("chiptune", "electronic", "short"),
        "grown from seed in eleven days.",
    ),
    Piece(
        _BOB,
        "concrete summer",
        _SUMMER,
        "house",
        "sun",
        "heat",
        "m4a",
        24,
        118,
        48,
        "dorian",
        24,
        ("house", "electronic", "summer"),
        "for the roof of a car park at nine in the evening.",
    ),
    Piece(
        _BOB,
        "ice cream van, slowed",
        _SUMMER,
        "lofi",
        "sun",
        "candy",
        "opus",
        25,
        70,
        60,
        "major",
        12,
        ("lofi", "slowed", "summer"),
        "it never came down our street, so i made my own.",
    ),
    Piece(
        _BOB,
        "last tram",
        _SUMMER,
        "lofi",
        "rings",
        "heat",
        "mp3",
        26,
        82,
        50,
        "minor",
        16,
        ("lofi", "night", "drum machine"),
        "window seat. city going by.",
    ),
)
