"""covers out of all sorts of pictures: right, or refused with the reason."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms

from plyr.media.errors import ImageInvalid
from plyr.media.service import render_covers
from plyr.media.sizes import COVER_SIZES

RED, BLUE = (220, 20, 20), (20, 20, 220)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def halves(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """a picture, red on the left and blue on the right."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width // 2, height))
    return picture.convert(mode)


def near(colour: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(colour[:3], wanted, strict=True))


async def largest(data: bytes) -> Image.Image:
    covers = await render_covers(data)
    assert tuple(cover.size for cover in covers) == COVER_SIZES
    return Image.open(io.BytesIO(covers[-1].data))


async def test_render_makes_every_size_square_and_webp() -> None:
    covers = await render_covers(encoded(halves(1600, 1300), "PNG"))
    for cover in covers:
        picture = Image.open(io.BytesIO(cover.data))
        assert (picture.format, picture.size) == ("WEBP", (cover.size, cover.size))
        assert near(picture.getpixel((2, cover.size // 2)), RED)
        assert near(picture.getpixel((cover.size - 3, cover.size // 2)), BLUE)


async def test_render_small_picture_is_not_blown_up() -> None:
    covers = await render_covers(encoded(halves(200, 120), "PNG"))
    assert [Image.open(io.BytesIO(cover.data)).size for cover in covers] == [
        (96, 96),
        (120, 120),
        (120, 120),
        (120, 120),
    ]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
async def test_render_every_accepted_kind(kind: str) -> None:
    picture = await largest(encoded(halves(500, 500), kind))
    assert near(picture.getpixel((20, 250)), RED)


async def test_render_applies_orientation_and_drops_all_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right to see it upright
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    data = encoded(halves(900, 600), "JPEG", exif=exif, comment=b"at home")
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825)
    picture = await largest(data)
    assert near(picture.getpixel((300, 20)), RED)
    assert near(picture.getpixel((300, 580)), BLUE)
    assert not picture.getexif()
    assert {"exif", "icc_profile", "xmp", "comment"}.isdisjoint(picture.info)


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "P", "LA", "RGBA", "I;16"])
async def test_render_every_colour_mode(mode: str) -> None:
    grey = mode in ("L", "1", "LA", "I;16")
    picture = Image.new("I;16", (300, 300), 60_000) if mode == "I;16" else halves(300, 300).convert(mode)
    shown = (await largest(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))).convert("RGB")
    assert shown.size == (300, 300)
    if mode == "I;16":
        assert near(shown.getpixel((10, 10)), (234, 234, 234))
    elif not grey:
        assert near(shown.getpixel((20, 150)), RED)


async def test_render_keeps_colours_of_a_profile_as_srgb() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = await largest(encoded(halves(300, 300), "JPEG", icc_profile=profile))
    assert near(picture.getpixel((20, 150)), RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_render_animation_takes_its_first_picture(kind: str) -> None:
    frames = [Image.new("RGB", (120, 120), colour) for colour in (RED, BLUE, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    picture = await largest(data)
    assert near(picture.convert("RGB").getpixel((60, 60)), RED)
    assert not getattr(picture, "is_animated", False)


async def test_render_jpeg_named_like_anything_goes_by_what_it_is() -> None:
    """a name never reaches the renderer: a phone's heic-named jpeg is a jpeg."""
    assert (await largest(encoded(halves(300, 300), "JPEG"))).size == (300, 300)


async def test_render_forty_megapixels_is_right() -> None:
    picture = await largest(encoded(halves(8000, 5000), "JPEG"))
    assert picture.size == (1200, 1200)
    assert near(picture.getpixel((20, 600)), RED)


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 500


def bomb() -> bytes:
    return encoded(Image.new("1", (30_000, 30_000)), "PNG")


def cut() -> bytes:
    data = encoded(halves(800, 800), "JPEG")
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: b"", "empty"),
        (lambda: b"just words", "not a picture"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not a picture"),
        (lambda: b"ID3\x03" + b"\0" * 400, "not a picture"),
        (heic, "heic"),
        (bomb, "pixels"),
        (cut, "cut off"),
    ],
    ids=["empty", "words", "svg", "audio", "heic", "bomb", "cut"],
)
async def test_render_what_is_no_cover_is_refused_with_the_reason(make: Callable[[], bytes], says: str) -> None:
    with pytest.raises(ImageInvalid, match=says):
        await render_covers(make())
