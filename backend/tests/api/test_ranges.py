"""which bytes a request asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.api.ranges import Selection, select

ETAG = '"abc"'


def ask(size: int = 100, method: str = "GET", **headers: str) -> Selection:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return select(method, named, size_bytes=size, etag=ETAG)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", (206, 0, 1)), ("bytes=0-99", (206, 0, 100)), ("bytes=10-19", (206, 10, 20)),
        ("bytes=90-", (206, 90, 100)), ("bytes=0-", (206, 0, 100)), ("bytes=-10", (206, 90, 100)),
        ("bytes=-1000", (206, 0, 100)), ("bytes=50-1000", (206, 50, 100)), ("BYTES=1-2", (206, 1, 3)),
        ("bytes= 1 - 2 ", (206, 1, 3)), ("bytes=100-", (416, 0, 0)), ("bytes=100-200", (416, 0, 0)),
        ("bytes=-0", (416, 0, 0)), ("bytes=5-4", (200, 0, 100)), ("bytes=-", (200, 0, 100)),
        ("bytes=a-b", (200, 0, 100)), ("seconds=1-2", (200, 0, 100)), ("bytes=1-2,4-5", (200, 0, 100)),
        ("bytes", (200, 0, 100)), ("", (200, 0, 100)), ("bytes=" + "9" * 30 + "-", (200, 0, 100)),
    ],
)  # fmt: skip
def test_select_range(header: str, wanted: tuple[int, int, int]) -> None:
    found = ask(range=header)
    assert (found.status, found.start, found.end) == wanted


def test_select_head_and_no_range_is_the_whole() -> None:
    assert ask() == ask(method="HEAD", range="bytes=0-1") == Selection(200, 0, 100)


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"abc"', 206), ('W/"abc"', 200), ('"other"', 200), ("Sat, 29 Oct 1994 19:43:31 GMT", 200)],
)
def test_select_if_range_only_for_the_same_bytes(condition: str, status: int) -> None:
    assert ask(range="bytes=0-1", if_range=condition).status == status


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"abc"', 304), ('W/"abc"', 304), ('"x", "abc"', 304), ("*", 304), ('"x"', 200), ("", 200)],
)
def test_select_if_none_match(condition: str, status: int) -> None:
    assert ask(if_none_match=condition).status == status


@given(st.text(max_size=40), st.integers(0, 1000))
def test_select_any_header_stays_inside_the_file(header: str, size: int) -> None:
    for spec in (header, f"bytes={header}"):
        found = ask(size, range=spec)
        assert 0 <= found.start <= found.end <= size
        assert found.status != 206 or found.start < found.end


@given(st.integers(1, 1000), st.integers(0, 999), st.integers(0, 999))
def test_select_first_and_last_byte_are_what_slices_give(size: int, first: int, last: int) -> None:
    data = bytes(n % 256 for n in range(size))
    found = ask(size, range=f"bytes={first}-{last}")
    if first <= last and first < size:
        assert data[found.start : found.end] == data[first : last + 1]
