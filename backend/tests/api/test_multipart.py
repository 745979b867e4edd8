"""forms as streams: the same events however the body is cut."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.api.multipart import MultipartExpected, MultipartInvalid, PartBegin, PartData, PartEnd, read_parts

BOUNDARY = "----plyr"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
Part = tuple[str, str | None, bytes]


def body(parts: list[Part], *, ends: bool = True) -> bytes:
    made = b""
    for name, filename, data in parts:
        file = f'; filename="{filename}"' if filename is not None else ""
        made += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return made + (f"--{BOUNDARY}--\r\n".encode() if ends else b"")


async def parse(data: bytes, cuts: list[int], content_type: str | None = TYPE) -> list[Part]:
    async def pieces() -> AsyncIterator[bytes]:
        at = 0
        for cut in cuts:
            yield data[at : at + cut]
            at += cut
        yield data[at:]

    found: list[Part] = []
    current: tuple[str, str | None, bytearray] | None = None
    async for event in read_parts(content_type, pieces()):
        if isinstance(event, PartBegin):
            current = (event.name, event.filename, bytearray())
        elif isinstance(event, PartData):
            assert current is not None
            current[2].extend(event.data)
        else:
            assert isinstance(event, PartEnd)
            assert current is not None
            found.append((current[0], current[1], bytes(current[2])))
    return found


names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
filenames = st.none() | st.text(st.characters(blacklist_characters='"\\\r\n\0', codec="utf-8"), max_size=20)
contents = st.binary(max_size=300) | st.sampled_from(
    [b"\r\n", b"\r\n--", b"\r\n----ply", b"--" + BOUNDARY.encode(), b"\r\n--" + BOUNDARY.encode()[:-1] + b"x"]
)
parts_of_forms = st.lists(st.tuples(names, filenames, contents), min_size=1, max_size=5)


@given(parts_of_forms, st.lists(st.integers(1, 40), max_size=60))
async def test_read_parts_any_cut_of_the_body_gives_the_same_form(parts: list[Part], cuts: list[int]) -> None:
    assert await parse(body(parts), cuts) == parts


@given(parts_of_forms, st.integers(1, 30))
async def test_read_parts_body_that_ends_early_is_refused(parts: list[Part], missing: int) -> None:
    whole = body(parts)
    with pytest.raises(MultipartInvalid):
        await parse(whole[: -(missing + 2)], [])


@given(st.binary(max_size=400))
async def test_read_parts_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(MultipartInvalid):
        await parse(data, [7, 7, 7])


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"]
)
async def test_read_parts_of_another_type_is_415(content_type: str | None) -> None:
    with pytest.raises(MultipartExpected):
        await parse(b"{}", [], content_type)


async def test_read_parts_too_many_is_refused() -> None:
    with pytest.raises(MultipartInvalid, match="more than"):
        await parse(body([(f"p{n}", None, b"") for n in range(33)]), [])


async def test_read_parts_boundless_header_is_refused() -> None:
    start = f"--{BOUNDARY}\r\n".encode()
    with pytest.raises(MultipartInvalid):
        await parse(start + b"X: " + b"y" * 1_000_000, [])
    with pytest.raises(MultipartInvalid):
        await parse(start + b"X: y\r\n" * 10_000, [])
