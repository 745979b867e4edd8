"""records against their lexicons, and the types generated from these."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.paths import BACKEND, BACKEND_SRC
from plyr.atproto.lexicon import Lexicons, LexiconsMissing, RecordInvalid, generate, load_lexicons
from plyr.atproto.lexicon.generate import LEXICONS, list_stale
from plyr.atproto.lexicon.generated import Like, List, ListItem, StrongRef, Track
from plyr.atproto.lexicon.record import Blob
from plyr.kit.ids import Nsid, RecordKey
from plyr.kit.tid import new_tid

NAMESPACE = "fm.plyr.dev"
CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
SUBJECT = {"uri": "at://did:plc:4wpcchtpfqanwfuberhiyafc/fm.plyr.dev.track/3l5abcdefgh2a", "cid": CID}
NOW = "2026-11-22T17:00:00.000Z"
VALID: dict[str, dict[str, Any]] = {
    "track": {"title": "x", "artist": "y", "fileType": "flac", "createdAt": NOW},
    "like": {"subject": SUBJECT, "createdAt": NOW},
    "comment": {"subject": SUBJECT, "text": "!", "timestampMs": 0, "createdAt": NOW},
    "list": {"items": [{"subject": SUBJECT}], "createdAt": NOW, "listType": "something new"},
    "actor.profile": {"createdAt": NOW},
}


@pytest.fixture(scope="module")
def lexicons() -> Lexicons:
    return load_lexicons(LEXICONS, NAMESPACE)


def record(name: str, /, **changes: Any) -> dict[str, Any]:
    value = copy.deepcopy(VALID[name]) | {"$type": f"{NAMESPACE}.{name}"} | changes
    return {field: content for field, content in value.items() if content is not ...}


def check(lexicons: Lexicons, name: str, value: object) -> None:
    lexicons.validate_record(Nsid(f"{NAMESPACE}.{name}"), value)


@pytest.mark.parametrize("name", VALID)
def test_validate_takes_records_with_fields_it_does_not_know(lexicons: Lexicons, name: str) -> None:
    check(lexicons, name, record(name, somethingElse={"a": [1]}))


@pytest.mark.parametrize(
    ("name", "changes", "path"),
    [
        ("track", {"title": ...}, "title"),
        ("track", {"title": ""}, "title"),
        ("track", {"title": 7}, "title"),
        ("track", {"title": None}, "title"),
        ("track", {"title": "x" * 257}, "title"),
        ("track", {"title": "\ud800"}, "title"),
        ("track", {"fileType": "x" * 17}, "fileType"),
        ("track", {"createdAt": "yesterday"}, "createdAt"),
        ("track", {"createdAt": "2026-02-30T00:00:00Z"}, "createdAt"),
        ("track", {"createdAt": "2026-01-01T00:00:00"}, "createdAt"),
        ("track", {"duration": 1.5}, "duration"),
        ("track", {"duration": True}, "duration"),
        ("track", {"duration": -1}, "duration"),
        ("track", {"duration": 2**53}, "duration"),
        ("track", {"tags": ["a"] * 11}, "tags"),
        ("track", {"tags": ["x" * 65]}, "tags[0]"),
        ("track", {"tags": "a"}, "tags"),
        ("track", {"features": [{"did": "did:plc:x"}, {"handle": "a.test"}]}, "features[1].did"),
        ("track", {"features": [{"did": "nobody"}]}, "features[0].did"),
        ("track", {"audioUrl": "/relative"}, "audioUrl"),
        (
            "track",
            {"audioBlob": {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 1}},
            "audioBlob.mimeType",
        ),
        (
            "track",
            {"audioBlob": {"$type": "blob", "ref": {"$link": CID}, "mimeType": "audio/x", "size": 10**9}},
            "audioBlob.size",
        ),
        ("track", {"audioBlob": {"$type": "blob", "ref": CID, "mimeType": "audio/x", "size": 1}}, "audioBlob.ref"),
        ("track", {"labels": {"values": []}}, "labels"),
        ("track", {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{}]}}, "labels.values[0].val"),
        ("track", {"$type": "fm.plyr.track"}, "$type"),
        ("like", {"subject": {"uri": "https://x", "cid": CID}}, "subject.uri"),
        ("like", {"subject": {"uri": SUBJECT["uri"]}}, "subject.cid"),
        ("comment", {"text": "x" * 1001}, "text"),
        ("comment", {"timestampMs": -1}, "timestampMs"),
        ("list", {"items": [{"subject": SUBJECT}] * 501}, "items"),
        ("list", {"name": "x" * 65}, "name"),
        ("list", {"name": "é" * 129}, "name"),
        ("actor.profile", {"bio": "x" * 257}, "bio"),
    ],
)
def test_validate_names_the_field_that_is_wrong(
    lexicons: Lexicons, name: str, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(RecordInvalid) as refused:
        check(lexicons, name, record(name, **changes))
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("track", {"title": "👩‍👩‍👧‍👦" * 100}),
        ("track", {"title": "字" * 256}),
        ("track", {"audioBlob": {"$type": "blob", "ref": {"$link": CID}, "mimeType": "audio/flac", "size": 1}}),
        ("track", {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "explicit"}]}}),
        ("track", {"labels": {"$type": "com.example.newer", "x": 1}}),
        ("comment", {"createdAt": "2026-11-22T17:00:00.123456789+02:00"}),
    ],
)
def test_validate_counts_as_people_do_and_leaves_room_to_grow(
    lexicons: Lexicons, name: str, changes: dict[str, Any]
) -> None:
    check(lexicons, name, record(name, **changes))


def test_validate_checks_the_key(lexicons: Lexicons) -> None:
    lexicons.validate_record(Nsid(f"{NAMESPACE}.track"), record("track"), new_tid())
    lexicons.validate_record(Nsid(f"{NAMESPACE}.actor.profile"), record("actor.profile"), RecordKey("self"))
    for name, key in (("track", "self"), ("actor.profile", "other"), ("like", "../x")):
        with pytest.raises(RecordInvalid):
            lexicons.validate_record(Nsid(f"{NAMESPACE}.{name}"), record(name), RecordKey(key))


def test_validate_knows_its_own_namespace_only(lexicons: Lexicons) -> None:
    production = record("track") | {"$type": "fm.plyr.track"}
    with pytest.raises(RecordInvalid):
        lexicons.validate_record(Nsid("fm.plyr.track"), production)
    load_lexicons(LEXICONS, "fm.plyr").validate_record(Nsid("fm.plyr.track"), production)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(name=st.sampled_from(sorted(VALID)), field=st.text(max_size=5), value=_json, data=st.data())
def test_validate_refuses_or_takes_anything_without_breaking(
    lexicons: Lexicons, name: str, field: str, value: object, data: st.DataObject
) -> None:
    known = data.draw(st.sampled_from([*VALID[name], "tags", "labels", "audioBlob", "features", field]))
    for candidate in (value, record(name) | {known: value}):
        try:
            check(lexicons, name, candidate)
        except RecordInvalid:
            continue


def test_validate_refuses_what_is_nested_without_end(lexicons: Lexicons) -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"subject": deep, "$type": "x"}
    with pytest.raises(RecordInvalid):
        check(lexicons, "like", record("like", subject=deep))


def test_generated_records_are_valid(lexicons: Lexicons) -> None:
    subject = StrongRef(uri=SUBJECT["uri"], cid=CID)
    blob = Blob(link=CID, mime_type="audio/flac", size_bytes=3)
    track = Track(title="x", artist="y", file_type="flac", created_at=NOW, audio_blob=blob, tags=["a"])
    check(lexicons, "track", track.to_record(NAMESPACE))
    check(lexicons, "like", Like(subject=subject, created_at=NOW).to_record(NAMESPACE))
    playlist = List(items=[ListItem(subject=subject)], created_at=NOW).to_record(NAMESPACE)
    assert playlist == {"$type": "fm.plyr.dev.list", "items": [{"subject": SUBJECT}], "createdAt": NOW}
    check(lexicons, "list", playlist)


def test_generated_files_are_up_to_date() -> None:
    assert list_stale() == []


def test_check_tells_when_a_file_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "PYTHON", tmp_path / "generated.py")
    assert list_stale() == [tmp_path / "generated.py"]


@pytest.mark.parametrize("damage", ["gone", "broken", "renamed"])
def test_load_without_a_lexicon_refuses(tmp_path: Path, damage: str) -> None:
    copied = tmp_path / "lexicons"
    shutil.copytree(LEXICONS, copied)
    like = copied / "fm/plyr/like.json"
    if damage == "gone":
        like.unlink()
    elif damage == "broken":
        like.write_text("{")
    else:
        like.write_text(json.dumps({**json.loads(like.read_text()), "id": "fm.plyr.other"}))
    with pytest.raises(LexiconsMissing, match="like"):
        load_lexicons(copied, NAMESPACE)


def test_generate_check_is_a_command() -> None:
    command = [sys.executable, "-m", "plyr.atproto.lexicon.generate", "--check"]
    done = subprocess.run(command, cwd=BACKEND, env={"PYTHONPATH": str(BACKEND_SRC)}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
