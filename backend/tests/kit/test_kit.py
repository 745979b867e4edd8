"""ids, addresses, cursors and texts: pure, so property-tested."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.errors import InvalidInput
from plyr.kit.at_uri import make_at_uri, split_at_uri
from plyr.kit.clock import to_iso
from plyr.kit.ids import Did, Nsid
from plyr.kit.paging import Cursor
from plyr.kit.text import clean_line, clean_text, count_graphemes, require_length
from plyr.kit.tid import encode_tid, new_tid

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_new_tid_many_keys_sort_in_the_order_they_were_made() -> None:
    keys = [new_tid() for _ in range(2000)]
    assert keys == sorted(set(keys))
    assert all(len(key) == 13 for key in keys)


def test_encode_tid_known_value_matches_the_specification() -> None:
    assert encode_tid(0, 0) == "2222222222222"
    alphabet = "234567abcdefghijklmnopqrstuvwxyz"
    number = 0
    for character in encode_tid(1_700_000_000_000_000, 7):
        number = number * 32 + alphabet.index(character)
    assert (number >> 10, number & 1023) == (1_700_000_000_000_000, 7)


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_encode_tid_any_two_instants_order_is_kept(one: int, other: int) -> None:
    assert (encode_tid(one, 5) < encode_tid(other, 5)) == (one < other)


@given(INSTANTS, st.integers(-(2**63), 2**63 - 1))
def test_cursor_encoded_and_decoded_is_the_same(at: datetime, row_id: int) -> None:
    cursor = Cursor(at, row_id)
    assert Cursor.decode(cursor.encode()) == cursor


@given(st.text(max_size=60))
def test_cursor_from_a_stranger_is_refused_or_exact(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except ValueError:
        return
    assert cursor.encode() == text


def test_split_at_uri_made_address_comes_apart_again() -> None:
    parts = Did("did:plc:abc"), Nsid("fm.plyr.track"), new_tid()
    assert split_at_uri(make_at_uri(*parts)) == parts


@pytest.mark.parametrize("text", ["", "at://", "at://did:plc:x", "at://alice.test/a.b.c/k", "at://did:plc:x/a.b.c/k/z"])
def test_split_at_uri_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the address"):
        split_at_uri(text)


@given(st.text())
def test_clean_text_any_text_cleaned_twice_is_cleaned_once(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert "\x00" not in cleaned
    cleaned.encode()


def test_clean_line_spaces_and_breaks_become_one_space() -> None:
    assert clean_line("  a\r\n\tb\u0000 c ") == "a b c"


def test_count_graphemes_family_and_accents_count_as_read() -> None:
    assert count_graphemes("👨‍👩‍👧") == 1
    assert count_graphemes("e\u0301") == 1
    assert count_graphemes("abc") == 3


def test_require_length_too_long_names_field_and_limit() -> None:
    with pytest.raises(InvalidInput, match="title has 300 characters; at most 256"):
        require_length("title", "x" * 300, graphemes=256)
    with pytest.raises(InvalidInput, match="title must not be empty"):
        require_length("title", "", least=1)


def test_to_iso_an_instant_is_written_as_records_write_it() -> None:
    assert to_iso(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)) == "2026-01-02T03:04:05.678Z"
