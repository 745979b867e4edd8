"""leaving a server, as the protocol has it: the repo goes to a second PDS, then the DID document names that one."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import libipld
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from devstack.network import Account, Network
from tests.index.foreign import ForeignClient

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_CID_PREFIX = b"\x01\x71\x12\x20"


def move(app: ForeignClient, new: Network, handle: str, rotation_key: int) -> ForeignClient:
    """carry an account to another server, close it at the old one, and return the app signed in at the new one."""
    old, did = app.network, app.did
    params = {"aud": "did:web:localhost", "lxm": "com.atproto.server.createAccount"}
    url = f"{old.pds_url}/xrpc/com.atproto.server.getServiceAuth"
    proof = httpx.get(url, params=params, headers=app.account.authorization).raise_for_status().json()["token"]
    body = {"did": did, "handle": handle, "email": f"{handle}@mail.test", "password": app.account.password}
    headers = {"authorization": f"Bearer {proof}"}
    made = httpx.post(f"{new.pds_url}/xrpc/com.atproto.server.createAccount", json=body, headers=headers, timeout=30)
    assert made.is_success, made.text
    there = ForeignClient(new, Account(handle, did, app.account.password, made.json()["accessJwt"]))
    car = httpx.get(f"{old.pds_url}/xrpc/com.atproto.sync.getRepo", params={"did": did}, timeout=30).content
    headers = {**there.account.authorization, "content-type": "application/vnd.ipld.car"}
    imported = httpx.post(f"{new.pds_url}/xrpc/com.atproto.repo.importRepo", content=car, headers=headers, timeout=30)
    assert imported.is_success, imported.text
    url = f"{new.pds_url}/xrpc/com.atproto.identity.getRecommendedDidCredentials"
    wanted = httpx.get(url, headers=there.account.authorization).raise_for_status().json()
    submit(old.plc_url, did, {"type": "plc_operation", **wanted}, rotation_key)
    there.call("com.atproto.server.activateAccount")
    app.call("com.atproto.server.deactivateAccount", {})
    return there


def submit(plc_url: str, did: str, operation: dict[str, Any], rotation_key: int) -> None:
    """sign an operation on a DID and have the directory take it."""
    last = httpx.get(f"{plc_url}/{did}/log/last").raise_for_status().json()
    digest = hashlib.sha256(libipld.encode_dag_cbor(last)).digest()
    unsigned = {**operation, "prev": libipld.encode_cid(_CID_PREFIX + digest)}
    key = ec.derive_private_key(rotation_key, ec.SECP256K1())
    der = key.sign(libipld.encode_dag_cbor(unsigned), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    raw = r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")
    signature = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    answer = httpx.post(f"{plc_url}/{did}", json={**unsigned, "sig": signature})
    assert answer.is_success, answer.text


def secrets_of(network: Network, folder: Path) -> dict[str, str]:
    """return the secrets of a server that `start_network` started under a test's folder."""
    port = network.pds_url.rpartition(":")[2]
    found: dict[str, str] = json.loads(next((folder / f"network-{port}").rglob("secrets.json")).read_text())
    return found


def rotation_key_of(network: Network, folder: Path) -> int:
    """return the key by which a server may change its accounts' DID documents."""
    return int(secrets_of(network, folder)["PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX"], 16)
