"""Pictures into covers. Runs as the reading process (`piped.py`)."""

import io
from typing import IO, Any, cast

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from plyr.media.piped import PipedFile, serve
from plyr.media.sizes import COVER_SIZES

# only these decoders ever see a stranger's bytes; importing them is what registers them (MPO comes with JPEG)
_DECODERS = {
    "JPEG": JpegImagePlugin, "PNG": PngImagePlugin, "WEBP": WebPImagePlugin,
    "GIF": GifImagePlugin, "AVIF": AvifImagePlugin,
}  # fmt: skip
_MAX_PIXELS = 60_000_000
_QUALITY = 82


def render(file: PipedFile) -> tuple[dict[str, Any], list[bytes]]:
    """Return the picture in every cover size, or why not."""
    head = file.read(32)
    file.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1"):
        return _refused("this is a heic photo, which browsers cannot show; save it as jpeg, png or webp"), []
    try:
        Image.MAX_IMAGE_PIXELS = None
        with Image.open(cast("IO[bytes]", file), formats=tuple(_DECODERS)) as picture:
            width, height = picture.size
            if width * height > _MAX_PIXELS:
                return _refused(f"the picture has {width} × {height} pixels; at most 60 million are accepted"), []
            square = _square(picture)
        return {"width": width, "height": height}, [_webp(square, size) for size in COVER_SIZES]
    except UnidentifiedImageError:
        return _refused("this is not a picture we know; jpeg, png, webp, gif and avif are accepted"), []
    except MemoryError:
        return _refused("the picture needs more memory than a cover may take"), []
    except (OSError, ValueError, SyntaxError, EOFError):
        return _refused("the picture is damaged or cut off; nothing else was lost, choose it again"), []


def _refused(detail: str) -> dict[str, Any]:
    return {"refused": "image_invalid", "detail": detail}


def _square(picture: Image.Image) -> Image.Image:
    scale = COVER_SIZES[-1] / min(picture.size)
    if scale < 1:
        picture.draft(None, (round(picture.width * scale), round(picture.height * scale)))
    picture.seek(0)
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    crop = upright.crop((left, top, left + side, top + side))
    target = min(side, COVER_SIZES[-1])
    coloured = _in_srgb(crop, picture.info.get("icc_profile"))
    return coloured.resize((target, target), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if picture.mode.startswith("I"):
        picture = picture.point(lambda value: value / 256).convert("L")
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if has_alpha:
        return picture.convert("RGBA")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            return picture.convert("RGB")
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _webp(square: Image.Image, size: int) -> bytes:
    target = min(size, square.width)
    sized = square if target == square.width else square.resize((target, target), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    sized.save(out, "WEBP", quality=_QUALITY, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()


if __name__ == "__main__":
    serve(render)
