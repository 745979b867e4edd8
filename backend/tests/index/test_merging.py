"""edits laid over records: what others wrote survives, blobs stay, what the edit decides is as it says."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plyr.index.merging import merge_record

BLOB = {"$type": "blob", "ref": {"$link": "bafkreie"}, "mimeType": "audio/flac", "size": 3}
NAMES = st.sampled_from(["title", "tags", "createdAt", "mood", "license", "audioBlob"])
RECORDS = st.dictionaries(NAMES, st.integers() | st.text(max_size=3) | st.just(BLOB))
FIELDS = frozenset({"title", "tags", "createdAt", "audioBlob"})


@given(standing=RECORDS, edit=RECORDS)
def test_merge_record_unknown_fields_and_blobs_survive_and_ours_are_as_the_edit_says(
    standing: dict[str, Any], edit: dict[str, Any]
) -> None:
    merged = merge_record(standing, edit, FIELDS)
    for name, value in standing.items():
        if name not in FIELDS or name == "createdAt" or (value == BLOB and name not in edit):
            assert merged[name] == value
    for name in FIELDS - {"createdAt"}:
        if standing.get(name) != BLOB:
            assert merged.get(name) == edit.get(name)
    assert merge_record(merged, edit, FIELDS) == merged, "an edit made twice changes nothing more"


def test_merge_record_only_the_fields_an_edit_decides_change() -> None:
    standing = {"title": "old", "tags": ["a"], "features": [{"did": "did:plc:x"}], "audioBlob": BLOB}
    merged = merge_record(standing, {"title": "new"}, {"title", "tags", "audioBlob"})
    assert merged == {"title": "new", "features": [{"did": "did:plc:x"}], "audioBlob": BLOB}


def test_merge_record_none_takes_a_blob_away() -> None:
    assert merge_record({"audioBlob": BLOB}, {"audioBlob": None}, {"audioBlob"}) == {}
