"""single messages of both wires: what they mean, and what odd ones come to."""

import contextlib
from typing import Any

import libipld
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plyr.atproto.sync.dag_cbor import cid_text
from plyr.atproto.sync.errors import CursorTooOld, DataInvalid
from plyr.atproto.sync.events import AccountChanged, Commit, IdentityChanged, RepoSynced, StreamEvent
from plyr.atproto.sync.jetstream import JetstreamWire
from plyr.atproto.sync.live import ConnectionRefused
from plyr.atproto.sync.subscribe_repos import SubscribeReposWire
from plyr.kit.ids import Nsid
from tests.atproto.sync.building import DID, REV, car, cid_of, commit_frame, frame, put, repo

NOTE = Nsid("fm.test.note")
PATH = f"{NOTE}/a"
RECORD = {"$type": NOTE, "n": 1}
TIME = "2026-01-02T03:04:05.678Z"

jsonish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def cbor(**changed: Any) -> StreamEvent | None:
    """read a commit frame with some fields changed."""
    return SubscribeReposWire([NOTE]).read(commit_frame(7, {PATH: RECORD}, **changed))


def read(kind: str, **fields: Any) -> StreamEvent | None:
    """read another frame."""
    return SubscribeReposWire([NOTE]).read(frame(kind, {"seq": 9, "did": DID, "time": TIME, **fields}))


def json(**changed: Any) -> StreamEvent | None:
    """read a jetstream message of a commit with some fields of the commit changed."""
    fields = {"rev": REV, "operation": "create", "collection": NOTE, "rkey": "a", "record": RECORD}
    commit = {**fields, "cid": cid_text(put({}, RECORD)), **changed}
    message = {"did": DID, "time_us": 7, "kind": "commit", "commit": commit}
    return JetstreamWire([NOTE]).read(orjson.dumps(message))


def test_read_commit_of_both_wires_is_the_same() -> None:
    one, other = cbor(), json()
    assert one is not None
    assert other is not None
    assert isinstance(one.event, Commit)
    assert isinstance(other.event, Commit)
    assert (one.cursor, one.event.did, one.event.rev, one.event.ops) == (
        other.cursor,
        other.event.did,
        other.event.rev,
        other.event.ops,
    )
    assert one.event.ops[0].record == RECORD


@pytest.mark.parametrize(
    "changed",
    [
        {"tooBig": True},
        {"rebase": True},
        {"blocks": b""},
        {"blocks": car(cid_of(b"x"), [])},
        {"blocks": None},
        {"rev": "3jzfcijpj2z2b"},
        {"ops": "none"},
        {"ops": [{"action": "create", "path": PATH, "cid": None}]},
        {"ops": [{"action": "create", "path": PATH, "cid": cid_of(b"another")}]},
        {"ops": [{"action": "invent", "path": PATH, "cid": put({}, RECORD)}]},
        {"ops": [{"action": "create", "path": f"{NOTE}/no key", "cid": put({}, RECORD)}]},
        {"ops": [{"action": "create", "path": 7}]},
    ],
)
def test_read_commit_that_cannot_be_taken_asks_to_reconcile(changed: dict[str, Any]) -> None:
    told = cbor(**changed)
    assert told is not None
    assert isinstance(told.event, RepoSynced)
    assert told.event.did == DID


def test_read_commit_with_a_lying_block_asks_to_reconcile() -> None:
    root, blocks = repo({PATH: RECORD})
    blocks[put({}, RECORD)] = libipld.encode_dag_cbor({"n": 2})
    told = cbor(blocks=car(root, blocks.items()))
    assert told is not None
    assert isinstance(told.event, RepoSynced)


def test_read_commit_elsewhere_carries_the_cursor_now_and_then() -> None:
    wire = SubscribeReposWire([NOTE])
    told = [wire.read(commit_frame(seq, {"com.example.diary/a": RECORD}, blocks=b"not looked at")) for seq in (1, 2, 3)]
    assert told[0] is not None
    assert isinstance(told[0].event, Commit)
    assert told[0].event.ops == ()
    assert told[1:] == [None, None]


def test_read_record_beyond_the_data_model_is_a_put_without_record() -> None:
    told = SubscribeReposWire([NOTE]).read(commit_frame(7, {PATH: {"n": 1.5}}))
    assert told is not None
    assert isinstance(told.event, Commit)
    assert (told.event.ops[0].action, told.event.ops[0].record) == ("put", None)


def test_read_other_frames() -> None:
    assert read("#identity", handle="Alice.test") == StreamEvent(9, IdentityChanged(DID, "alice.test"))  # type: ignore[arg-type]
    assert read("#identity", handle="no handle") == StreamEvent(9, IdentityChanged(DID, None))  # type: ignore[arg-type]
    assert read("#account", active=False, status="takendown") == StreamEvent(
        9,
        AccountChanged(DID, False, "takendown"),  # type: ignore[arg-type]
    )
    assert read("#sync", rev=REV) == StreamEvent(9, RepoSynced(DID, REV))  # type: ignore[arg-type]
    assert read("#fromTheFuture") is None
    assert read("#info", name="SomethingElse") is None


@pytest.mark.parametrize("changed", [{"repo": "alice"}, {"rev": "zzzzzzzzzzzzz"}, {"seq": -1}, {"seq": "7"}])
def test_read_frame_without_who_or_where_is_data_invalid(changed: dict[str, Any]) -> None:
    with pytest.raises(DataInvalid):
        cbor(**changed)


@pytest.mark.parametrize(
    "changed",
    [{"rev": "zzz"}, {"rkey": "no key"}, {"operation": "invent"}, {"cid": None}, {"cid": "bafyrei"}],
)
def test_read_json_commit_that_is_none_is_data_invalid(changed: dict[str, Any]) -> None:
    with pytest.raises(DataInvalid):
        json(**changed)


@pytest.mark.parametrize("collection", ["com.example.diary", f"{NOTE}2", [NOTE], None])
def test_read_json_commit_elsewhere_is_nothing(collection: object) -> None:
    assert json(collection=collection) is None


def test_read_json_deletion_has_neither_cid_nor_record() -> None:
    told = json(operation="delete", cid=None, record=None)
    assert told is not None
    assert isinstance(told.event, Commit)
    assert (told.event.ops[0].action, told.event.ops[0].cid, told.event.ops[0].record) == ("delete", None, None)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_read_noise_is_data_invalid_or_nothing(noise: bytes) -> None:
    for wire in (SubscribeReposWire([NOTE]), JetstreamWire([NOTE])):
        with contextlib.suppress(DataInvalid, ConnectionRefused):
            assert wire.read(noise) is None


@given(st.dictionaries(st.sampled_from(["did", "time_us", "kind", "commit", "account", "identity"]), jsonish), jsonish)
@settings(max_examples=300, deadline=None)
def test_read_odd_json_is_data_invalid_or_nothing(message: dict[str, Any], part: Any) -> None:
    for kind in ("commit", "account", "identity"):
        with contextlib.suppress(DataInvalid, orjson.JSONEncodeError):
            JetstreamWire([NOTE]).read(orjson.dumps({**message, "kind": kind, kind: part}, default=str))


@given(st.integers(0, 5000), st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_read_damaged_commit_never_tells_another_record(at: int, bit: int) -> None:
    whole = bytearray(commit_frame(7, {PATH: RECORD}))
    whole[at % len(whole)] ^= 1 << bit
    try:
        told = SubscribeReposWire([NOTE]).read(bytes(whole))
    except (DataInvalid, ConnectionRefused, CursorTooOld):
        return
    if told is not None and isinstance(told.event, Commit) and told.event.ops:
        for op in told.event.ops:
            assert op.record in (RECORD, None)
            assert op.action == "delete" or op.cid == cid_text(put({}, RECORD))
