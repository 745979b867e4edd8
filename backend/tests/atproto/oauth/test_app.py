"""what we are to authorization servers."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from plyr.atproto.oauth import SigningKey, build_app
from plyr.atproto.oauth.errors import ClientKeyGone

ORIGIN = "https://app.example.com"


def keys_json(*key_ids: str) -> str:
    return json.dumps([{**SigningKey.generate().private_jwk(), "kid": key_id} for key_id in key_ids])


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "===")


def test_build_app_on_loopback_has_no_keys_and_names_its_redirect_in_its_id() -> None:
    app = build_app("http://127.0.0.1:5173", "atproto blob:*/*", None)
    redirect = "redirect_uri=http%3A%2F%2F127.0.0.1%3A5173%2Fapi%2Fauth%2Fcallback"
    assert app.client_id == f"http://localhost?{redirect}&scope=atproto%20blob%3A%2A%2F%2A"
    assert app.authentication("https://issuer", None) == {"client_id": app.client_id}


def test_build_app_on_https_is_confidential_and_publishes_every_key_but_no_secret() -> None:
    app = build_app(ORIGIN, "atproto", keys_json("new", "old"))
    metadata = app.metadata()
    assert metadata["client_id"] == app.client_id == f"{ORIGIN}/api/oauth-client-metadata.json"
    assert metadata["token_endpoint_auth_method"] == "private_key_jwt"
    assert metadata["dpop_bound_access_tokens"] is True
    assert app.key_ids == ("new", "old")
    assert [key["kid"] for key in app.jwks()["keys"]] == ["new", "old"]
    assert all("d" not in key for key in app.jwks()["keys"])


def test_assertion_is_fresh_each_time_and_signed_with_the_key_it_names() -> None:
    app = build_app(ORIGIN, "atproto", keys_json("new", "old"))
    first, second = (app.authentication("https://issuer", "old")["client_assertion"] for _ in range(2))
    header, claims, signature = first.split(".")
    assert json.loads(decoded(header)) == {"alg": "ES256", "typ": "JWT", "kid": "old"}
    said = json.loads(decoded(claims))
    assert (said["iss"], said["sub"], said["aud"]) == (app.client_id, app.client_id, "https://issuer")
    assert said["jti"] != json.loads(decoded(second.split(".")[1]))["jti"]
    jwk = app.jwks()["keys"][1]
    x, y = (int.from_bytes(decoded(jwk[name]), "big") for name in ("x", "y"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raw = decoded(signature)
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(pair, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def test_assertion_with_a_retired_key_is_refused() -> None:
    with pytest.raises(ClientKeyGone):
        build_app(ORIGIN, "atproto", keys_json("new")).authentication("https://issuer", "old")


@pytest.mark.parametrize(
    ("origin", "keys"),
    [
        (ORIGIN, None),
        (ORIGIN, "[]"),
        (ORIGIN, "nonsense"),
        (ORIGIN, "[{}]"),
        (ORIGIN, '[{"kty":"RSA","kid":"x"}]'),
        (ORIGIN, json.dumps([{**SigningKey.generate().public_jwk(), "kid": "x"}])),
        (ORIGIN, json.dumps([SigningKey.generate().private_jwk()])),
        (ORIGIN, keys_json("same", "same")),
        ("http://localhost:5173", None),
        ("http://192.168.0.2:5173", None),
    ],
)
def test_build_app_with_unusable_settings_refuses(origin: str, keys: str | None) -> None:
    with pytest.raises(ValueError):
        build_app(origin, "atproto", keys)


def test_signing_key_shows_nothing_and_survives_the_way_through_json() -> None:
    key = SigningKey.generate()
    secret = key.private_jwk()["d"]
    assert secret not in repr(key)
    assert SigningKey.from_jwk(json.loads(json.dumps(key.private_jwk()))).public_jwk() == key.public_jwk()
