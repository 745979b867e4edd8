"""blocks, CARs and repos: what is right is read whole, what is wrong ends in one clear error."""

import io
import tempfile
from collections.abc import Callable
from typing import Any

import libipld
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plyr.atproto.sync.car import MAX_BLOCK_BYTES, Car
from plyr.atproto.sync.dag_cbor import cid_bytes, cid_text, record_json
from plyr.atproto.sync.errors import DataInvalid
from plyr.atproto.sync.repo_car import RepoCar
from plyr.kit.ids import Nsid
from tests.atproto.sync import building
from tests.atproto.sync.building import Blocks, car, cid_of, commit, layer_of, put, repo_car, tree, varint

NOTE = Nsid("fm.test.note")
OTHER = Nsid("fm.test.zebra")

names = st.text(st.characters(codec="utf-8", exclude_characters="$"), max_size=8)
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | names
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
records = st.dictionaries(names, values, max_size=4)
keys = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True)
paths = st.builds("{}/{}".format, st.sampled_from([NOTE, OTHER, "app.a.b", "fm.test.note2"]), keys)
repos = st.dictionaries(paths, records, max_size=60)


def _read(data: bytes, only: list[Nsid] | None = None) -> dict[str, tuple[str, Any]]:
    found = RepoCar(io.BytesIO(data)).records(only)
    return {f"{one.collection}/{one.rkey}": (one.cid, one.record) for one in found}


@given(repos)
@settings(max_examples=60, deadline=None)
def test_read_repo_any_content_gives_every_record_in_order(content: dict[str, Any]) -> None:
    found = _read(repo_car(content))
    assert list(found) == sorted(content)
    assert {path: record for path, (_, record) in found.items()} == content
    assert all(cid == cid_text(put({}, content[path])) for path, (cid, _) in found.items())


@given(repos)
@settings(max_examples=60, deadline=None)
def test_read_repo_one_collection_gives_exactly_that(content: dict[str, Any]) -> None:
    found = _read(repo_car(content), [NOTE])
    assert list(found) == sorted(path for path in content if path.startswith(f"{NOTE}/"))


def test_read_repo_other_collections_are_not_opened() -> None:
    blocks: Blocks = {}
    content = {
        f"{name}/{number:03}": put(blocks, {"in": name, "n": number})
        for name in (NOTE, "a.b.c")
        for number in range(200)
    }
    root = commit(blocks, tree(blocks, content))
    for path, cid in content.items():
        if path.startswith("a.b.c"):
            del blocks[cid]
    data = car(root, blocks.items())
    assert len(_read(data, [NOTE])) == 200
    with pytest.raises(DataInvalid, match="missing"):
        _read(data)


def test_read_repo_says_whose_it_is_and_where_it_stands() -> None:
    repo = RepoCar(io.BytesIO(repo_car({})))
    assert (repo.did, repo.rev, list(repo.records())) == (building.DID, building.REV, [])


@given(repos, st.data())
@settings(max_examples=150, deadline=None)
def test_read_repo_damaged_ends_in_data_invalid_or_the_truth(content: dict[str, Any], data: st.DataObject) -> None:
    whole = repo_car(content)
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = data.draw(
        st.sampled_from(
            [
                whole[:at],
                whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[at + 1 :],
                whole[:at] + data.draw(st.binary(max_size=8)) + whole[at:],
            ]
        )
    )
    try:
        found = _read(broken)
    except DataInvalid:
        return
    assert {path: record for path, (_, record) in found.items()} == content


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_read_repo_noise_is_data_invalid(noise: bytes) -> None:
    with pytest.raises(DataInvalid):
        _read(noise)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_record_json_noise_is_a_record_or_none(noise: bytes) -> None:
    assert isinstance(record_json(noise), dict | None)


def _cut(blocks: Blocks, root: bytes) -> bytes:
    return car(root, blocks.items())[:-10]


def _lying(blocks: Blocks, root: bytes) -> bytes:
    return car(root, ((cid, block + b"\x00" if cid == root else block) for cid, block in blocks.items()))


def _rootless(blocks: Blocks, root: bytes) -> bytes:
    return car(root, ((cid, block) for cid, block in blocks.items() if cid != root))


def _giant(blocks: Blocks, root: bytes) -> bytes:
    return car(root, blocks.items()) + varint(MAX_BLOCK_BYTES + 37) + root


def _boundless(blocks: Blocks, root: bytes) -> bytes:
    return car(root, blocks.items()) + b"\xff" * 20


def _sha512(blocks: Blocks, root: bytes) -> bytes:
    return car(root, blocks.items()) + varint(40) + b"\x01\x71\x13\x20" + b"\x00" * 36


@pytest.mark.parametrize("spoil", [_cut, _lying, _rootless, _giant, _boundless, _sha512])
def test_read_repo_spoiled_is_data_invalid(spoil: Callable[[Blocks, bytes], bytes]) -> None:
    root, blocks = building.repo({f"{NOTE}/a": {"n": 1}})
    with pytest.raises(DataInvalid):
        _read(spoil(blocks, root))


def _key(layer: int, after: str = "") -> str:
    found = (f"{NOTE}/{number:05}" for number in range(99999))
    return next(key for key in found if layer_of(key) == layer and key > after)


def _entry(key: str, blocks: Blocks, **changed: Any) -> dict[str, Any]:
    return {"p": 0, "k": key.encode(), "v": put(blocks, {}), "t": None} | changed


def _out_of_order(blocks: Blocks) -> Any:
    first = _key(0)
    return {"l": None, "e": [_entry(_key(0, first), blocks), _entry(first, blocks)]}


def _twice(blocks: Blocks) -> Any:
    return {"l": None, "e": [_entry(_key(0), blocks), _entry(_key(0), blocks)]}


def _wrong_layer(blocks: Blocks) -> Any:
    first = _key(0)
    return {"l": None, "e": [_entry(first, blocks), _entry(_key(1, first), blocks)]}


def _too_deep(blocks: Blocks) -> Any:
    below = put(blocks, {"l": None, "e": [_entry(_key(0), blocks)]})
    return {"l": below, "e": [_entry(_key(0, _key(0)), blocks)]}


def _child_beyond_its_fence(blocks: Blocks) -> Any:
    top = _key(1)
    late = put(blocks, {"l": None, "e": [_entry(_key(0, top), blocks)]})
    return {"l": late, "e": [_entry(top, blocks)]}


def _shared_empty_child(blocks: Blocks) -> Any:
    empty = put(blocks, {"l": None, "e": []})
    return {"l": empty, "e": [_entry(_key(1), blocks, t=empty)]}


def _endless_prefix(blocks: Blocks) -> Any:
    return {"l": None, "e": [_entry(_key(0), blocks, p=2**40)]}


def _no_key(blocks: Blocks) -> Any:
    return {"l": None, "e": [_entry("no key at all", blocks)]}


def _no_value(blocks: Blocks) -> Any:
    return {"l": None, "e": [_entry(_key(0), blocks, v=b"short")]}


def _root_without_entries(blocks: Blocks) -> Any:
    return {"l": put(blocks, {"l": None, "e": [_entry(_key(0), blocks)]}), "e": []}


SPOILED_TREES = [
    _out_of_order,
    _twice,
    _wrong_layer,
    _too_deep,
    _child_beyond_its_fence,
    _shared_empty_child,
    _endless_prefix,
    _no_key,
    _no_value,
    _root_without_entries,
    lambda _blocks: {"e": "many"},
    lambda _blocks: {"l": b"not a link", "e": []},
    lambda _blocks: [1, 2],
]


@pytest.mark.parametrize("spoil", SPOILED_TREES)
def test_read_repo_tree_against_its_rules_is_data_invalid(spoil: Callable[[Blocks], Any]) -> None:
    blocks: Blocks = {}
    root = commit(blocks, put(blocks, spoil(blocks)))
    with pytest.raises(DataInvalid):
        _read(car(root, blocks.items()))


@pytest.mark.parametrize("changed", [{"version": 2}, {"did": "alice"}, {"rev": "zzzzzzzzzzzzz"}, {"data": None}])
def test_read_repo_commit_that_is_none_is_data_invalid(changed: dict[str, Any]) -> None:
    blocks: Blocks = {}
    root = commit(blocks, tree(blocks, {}), **changed)
    with pytest.raises(DataInvalid):
        _read(car(root, blocks.items()))


def test_car_in_a_file_is_read_block_by_block() -> None:
    block = libipld.encode_dag_cbor({"text": "x" * 1000})
    with tempfile.TemporaryFile() as file:
        file.write(car(cid_of(block), [(cid_of(block), block)] * 3))
        opened = Car(file)
        assert (len(opened), cid_of(block) in opened, opened.block(cid_of(block))) == (1, True, block)


def test_record_json_links_and_bytes_are_told_apart() -> None:
    cid, other = cid_of(b"linked"), cid_of(b"only bytes", 0x55)
    linked = b"\xd8\x2a\x58\x25\x00" + cid
    block = b"\xa3" + b"\x61a" + linked + b"\x61b" + b"\x58\x24" + other + b"\x61c" + b"\x43abc"
    found = record_json(block)
    assert found is not None
    assert found["a"] == {"$link": cid_text(cid)}
    assert set(found["b"]) == {"$bytes"}
    assert found["c"] == {"$bytes": "YWJj"}


@pytest.mark.parametrize(
    "block",
    [
        libipld.encode_dag_cbor({"n": 1.5}),
        libipld.encode_dag_cbor({"n": 2**64 - 1}),
        libipld.encode_dag_cbor([1]),
        b"\xa1\x61a" + b"\x81" * 100 + b"\x01",
        b"\xa1\x61a" + b"\x81" * 5000 + b"\x01",
        b"\x9b" + b"\xff" * 8,
        b"\xa1\x61a\x61\xff",
        b"",
    ],
)
def test_record_json_beyond_the_data_model_is_none(block: bytes) -> None:
    assert record_json(block) is None


@given(st.binary(max_size=60))
def test_cid_bytes_reads_back_what_cid_text_writes(content: bytes) -> None:
    for codec in (0x71, 0x55):
        cid = cid_of(content, codec)
        assert cid_bytes(cid_text(cid)) == cid


@pytest.mark.parametrize("text", ["", "b", "Qmfoo", "b" + "!" * 58, "b" + "a" * 58, "bafyrei" + "é" * 52])
def test_cid_bytes_of_something_else_is_data_invalid(text: str) -> None:
    with pytest.raises(DataInvalid):
        cid_bytes(text)
