"""The audio formats accepted, and how a file's first bytes tell which of them it can be."""

from dataclasses import dataclass

from plyr.media.errors import EmptyFile, NotAudio, UnsupportedFormat

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """A container we accept, with the codecs in it that browsers can be made to play."""

    file_type: str
    content_type: str
    demuxer: str
    codecs: frozenset[str]
    codec_prefix: str | None = None

    def accepts(self, codec: str) -> bool:
        """Say whether a codec is fine in this container."""
        return codec in self.codecs or bool(self.codec_prefix and codec.startswith(self.codec_prefix))


MP3 = AudioFormat("mp3", "audio/mpeg", "mp3", frozenset({"mp3"}))
M4A = AudioFormat("m4a", "audio/mp4", "mov", frozenset({"aac", "alac"}))
AAC = AudioFormat("aac", "audio/aac", "aac", frozenset({"aac"}))
WAV = AudioFormat("wav", "audio/wav", "wav", frozenset(), "pcm_")
FLAC = AudioFormat("flac", "audio/flac", "flac", frozenset({"flac"}))
OGG = AudioFormat("ogg", "audio/ogg", "ogg", frozenset({"vorbis", "opus"}))
AIFF = AudioFormat("aiff", "audio/aiff", "aiff", frozenset(), "pcm_")
AUDIO_FORMATS = (MP3, M4A, AAC, WAV, FLAC, OGG, AIFF)
ACCEPTED = "mp3, m4a, aac, wav, flac, ogg (vorbis or opus) and aiff are accepted"

_FRAMES_IN_A_ROW = 4
_KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_OTHER_MEDIA = {
    b"\x1aE\xdf\xa3": "a matroska or webm file",
    b"0&\xb2u\x8ef\xcf\x11": "a windows media file",
    b"FLV\x01": "a flash video",
    b"\x00\x00\x01\xba": "an mpeg video",
    b"MThd": "a midi file",
    b"MAC ": "monkey's audio",
    b"wvpk": "wavpack audio",
    b"caff": "a core audio file",
    b"#!AMR": "amr audio",
    b"DSD ": "dsd audio",
}
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")


def sniff(head: bytes) -> AudioFormat:
    """Return the format a file begins like; only decoding proves that it is one.

    shape:  `head` is the first 64 KB, or all of a smaller file
    errors: EmptyFile, NotAudio or UnsupportedFormat, each saying what was found
    """
    if not head:
        raise EmptyFile("the file is empty: it has no bytes")
    tag_bytes = id3_bytes(head)
    body = head[tag_bytes:]
    found = _by_magic(body) or _by_frames(body.lstrip(b"\0")) or (MP3 if tag_bytes >= len(head) else None)
    if found:
        return found
    raise _refusal(head)


def id3_bytes(head: bytes) -> int:
    """Return how many bytes an ID3v2 tag at the start takes, 0 without one."""
    if len(head) < 10 or head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + (20 if head[5] & 0x10 else 10)


def _by_magic(body: bytes) -> AudioFormat | None:
    if body[:4] in (b"RIFF", b"RF64", b"BW64") and body[8:12] == b"WAVE":
        return WAV
    if body[:4] == b"FORM" and body[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if body[:4] == b"fLaC":
        return FLAC
    if body[:4] == b"OggS":
        return OGG
    if body[4:8] == b"ftyp" and body[8:12] not in _PICTURE_BRANDS:
        return M4A
    return None


def _by_frames(body: bytes) -> AudioFormat | None:
    """Return mp3 or aac if frames follow one another from the start: two bytes of sync alone are common in noise."""
    if len(body) < 4 or body[0] != 0xFF:
        return None
    for kind, frame_bytes in ((MP3, _mp3_frame_bytes), (AAC, _aac_frame_bytes)):
        at, frames = 0, 0
        while frames < _FRAMES_IN_A_ROW and at + 7 <= len(body):
            size = frame_bytes(body[at : at + 7])
            if not size:
                break
            at, frames = at + size, frames + 1
        if frames == _FRAMES_IN_A_ROW or (frames >= 2 and at >= len(body)):
            return kind
    return None


def _mp3_frame_bytes(header: bytes) -> int:
    """Return the length of the mp3 frame a header begins, 0 for anything else."""
    version, layer, rate = header[1] >> 3 & 3, header[1] >> 1 & 3, header[2] >> 2 & 3
    if header[0] != 0xFF or header[1] & 0xE0 != 0xE0 or version == 1 or layer != 1 or rate == 3:
        return 0
    kilobits = (_KILOBITS_1 if version == 3 else _KILOBITS_2)[header[2] >> 4]
    hertz = (44_100, 48_000, 32_000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if version == 3 else 72) * kilobits * 1000 // hertz + (header[2] >> 1 & 1) if kilobits else 0


def _aac_frame_bytes(header: bytes) -> int:
    """Return the length of the ADTS frame a header begins, 0 for anything else."""
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > 7 else 0


def _refusal(head: bytes) -> NotAudio | UnsupportedFormat:
    for magic, name in _OTHER_MEDIA.items():
        if head.startswith(magic):
            return UnsupportedFormat(f"this is {name}; {ACCEPTED}")
    if head.startswith(_PICTURES) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return NotAudio(f"this is a picture, not audio; {ACCEPTED}")
    if head[:4] == b"RIFF":
        return UnsupportedFormat(f"this is a video; {ACCEPTED}")
    if b"#EXTM3U" in head[:64] or b"[playlist]" in head[:64].lower():
        return NotAudio("this is a playlist: it names other files and holds no sound itself")
    return NotAudio(f"this is not audio we know, whatever its name says; {ACCEPTED}")
