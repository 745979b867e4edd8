"""sign-in over HTTP: the happy way, and every other."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from devstack.approve import approve
from devstack.faults import Fault, FaultProxy, answer, hang
from devstack.network import Account, Network
from devstack.sign_in import SignedIn, finish_url, sign_in
from tests.fixtures.auth import OpenApi, another_browser

NewAccount = Callable[[], Account]
OWN = {"origin": "http://127.0.0.1:5173", "sec-fetch-site": "same-origin"}


async def start(client: httpx.AsyncClient, handle: str, **more: str) -> str:
    answered = await client.get("/auth/start", params={"handle": handle, **more})
    assert answered.status_code == 303
    assert answered.headers["referrer-policy"] == "no-referrer"
    assert answered.headers["cache-control"] == "no-store"
    return answered.headers["location"]


def login_error(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://127.0.0.1:5173/login"
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


async def test_sign_in_by_handle_makes_a_session(client: httpx.AsyncClient, new_account: NewAccount) -> None:
    account = new_account()
    signed_in = await sign_in(client, account.handle, return_to="/upload?x=1")
    assert (signed_in.did, signed_in.handle, signed_in.needs_profile) == (account.did, account.handle, True)
    assert signed_in.return_to == "/upload?x=1"
    expected = {"did": account.did, "handle": account.handle, "has_profile": False, "linked_accounts": []}
    for by in ({}, signed_in.authorization):
        me = await (client if not by else another_browser(client)).get("/auth/me", headers=by)
        assert expected.items() <= me.json().items()
        assert me.json()["capabilities"] == {"scrobble": False}


@pytest.mark.parametrize("write", ["@{handle}", "{HANDLE}", " at://{handle} ", "{did}"])
async def test_sign_in_by_other_spellings_finds_the_account(
    client: httpx.AsyncClient, new_account: NewAccount, write: str
) -> None:
    account = new_account()
    asked = write.format(handle=account.handle, HANDLE=account.handle.upper(), did=account.did)
    callback = await approve(await start(client, asked), account.handle, account.password)
    assert "exchange_token=" in await finish_url(client, callback)


async def test_sign_in_by_server_lets_any_of_its_accounts_in(
    client: httpx.AsyncClient, network: Network, new_account: NewAccount
) -> None:
    account = new_account()
    callback = await approve(await start(client, network.pds_url), account.handle, account.password)
    token = httpx.URL(await finish_url(client, callback)).params["exchange_token"]
    exchanged = await client.post("/auth/exchange", json={"exchange_token": token})
    assert exchanged.json()["did"] == account.did


async def test_exchange_by_a_page_hides_the_session_id(client: httpx.AsyncClient, new_account: NewAccount) -> None:
    account = new_account()
    callback = await approve(await start(client, account.handle), account.handle, account.password)
    token = httpx.URL(await finish_url(client, callback)).params["exchange_token"]
    foreign = await client.post(
        "/auth/exchange", json={"exchange_token": token}, headers={"origin": "https://evil.example"}
    )
    assert foreign.json()["error"] == "cross_site"
    exchanged = await client.post("/auth/exchange", json={"exchange_token": token}, headers=OWN)
    assert exchanged.json()["session_id"] is None
    cookie = exchanged.headers["set-cookie"].lower()
    assert cookie.startswith("session_id=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert exchanged.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("nobody-here.test", "handle_not_found"),
        ("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "handle_not_found"),
        ("", "invalid_request"),
        ("not a handle", "invalid_request"),
        ("alice.test\x00", "invalid_request"),
        ("http://10.0.0.1", "invalid_request"),
        ("https://127.0.0.1:1", "provider_unreachable"),
        ("https://[::1", "invalid_request"),
    ],
)
async def test_start_with_an_unusable_name_explains_itself(client: httpx.AsyncClient, asked: str, error: str) -> None:
    told = login_error(await start(client, asked, return_to="/upload"))
    assert (told["error"], told["return_to"]) == (error, "/upload")
    assert told.get("handle", "") == asked.strip()


@pytest.mark.parametrize("away", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb"])
async def test_start_returns_to_our_own_pages_only(client: httpx.AsyncClient, away: str) -> None:
    assert login_error(await start(client, "", return_to=away))["return_to"] == "/"


async def test_callback_denied_says_so(client: httpx.AsyncClient, new_account: NewAccount) -> None:
    account = new_account()
    url = await start(client, account.handle, return_to="/upload")
    told = login_error(await finish_url(client, await approve(url, account.handle, account.password, reject=True)))
    assert told == {"error": "denied", "handle": account.handle, "return_to": "/upload"}


async def test_callback_as_another_account_is_refused_and_its_tokens_are_given_back(
    open_api: OpenApi, faulty_network: Network, faults: FaultProxy
) -> None:
    client, _ = await open_api(faulty_network)
    asked, other = faulty_network.new_account(), faulty_network.new_account()
    callback = await approve(await start(client, asked.handle), other.handle, other.password)
    assert login_error(await finish_url(client, callback))["error"] == "wrong_account"
    assert [one.status for one in faults.seen if "/oauth/revoke" in one.path] == [200]
    assert (await client.get("/auth/me")).status_code == 401


async def test_callback_in_another_browser_is_refused_and_the_right_one_may_go_on(
    client: httpx.AsyncClient, new_account: NewAccount
) -> None:
    account = new_account()
    callback = await approve(await start(client, account.handle), account.handle, account.password)
    stranger = another_browser(client)
    assert login_error(await finish_url(stranger, callback))["error"] == "wrong_browser"
    await stranger.get("/auth/start", params={"handle": account.handle})
    assert login_error(await finish_url(stranger, callback))["error"] == "wrong_browser"
    assert "exchange_token=" in await finish_url(client, callback)


async def test_two_tabs_may_sign_in_at_once(client: httpx.AsyncClient, new_account: NewAccount) -> None:
    one, two = new_account(), new_account()
    urls = [await start(client, account.handle) for account in (one, two)]
    for account, url in zip((one, two), urls, strict=True):
        callback = await approve(url, account.handle, account.password)
        assert "exchange_token=" in await finish_url(client, callback)


async def test_callback_replayed_is_refused(client: httpx.AsyncClient, new_account: NewAccount) -> None:
    account = new_account()
    callback = await approve(await start(client, account.handle), account.handle, account.password)
    assert "exchange_token=" in await finish_url(client, callback)
    assert login_error(await finish_url(client, callback))["error"] == "expired"


async def test_callback_with_a_used_code_under_a_new_state_is_refused(
    client: httpx.AsyncClient, new_account: NewAccount
) -> None:
    account = new_account()
    callback = await approve(await start(client, account.handle), account.handle, account.password)
    first = httpx.URL(callback)
    await finish_url(client, callback)
    second = httpx.URL(await approve(await start(client, account.handle), account.handle, account.password))
    mixed = second.copy_set_param("code", first.params["code"])
    assert login_error(await finish_url(client, str(mixed)))["error"] == "provider_refused"


@pytest.mark.parametrize("issuer", ["https://evil.example", None])
async def test_callback_from_another_issuer_is_refused(
    client: httpx.AsyncClient, new_account: NewAccount, issuer: str | None
) -> None:
    account = new_account()
    callback = httpx.URL(await approve(await start(client, account.handle), account.handle, account.password))
    forged = callback.copy_set_param("iss", issuer) if issuer else callback.copy_remove_param("iss")
    assert login_error(await finish_url(client, str(forged)))["error"] == "identity_mismatch"


@pytest.mark.parametrize("query", ["", "?state=unknown&code=x&iss=y", "?state=" + "x" * 5000, "?error=access_denied"])
async def test_callback_with_nonsense_is_explained(client: httpx.AsyncClient, query: str) -> None:
    answered = await client.get(f"/auth/callback{query}")
    assert answered.status_code == 303
    assert login_error(answered.headers["location"])["error"] in ("expired", "invalid_request")


async def test_exchange_token_works_once_and_in_its_browser_only(
    client: httpx.AsyncClient, new_account: NewAccount
) -> None:
    account = new_account()
    callback = await approve(await start(client, account.handle), account.handle, account.password)
    body = {"exchange_token": httpx.URL(await finish_url(client, callback)).params["exchange_token"]}
    elsewhere = await another_browser(client).post("/auth/exchange", json=body)
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (400, "exchange_expired")
    assert (await client.post("/auth/exchange", json=body)).status_code == 200
    again = await client.post("/auth/exchange", json=body)
    assert (again.status_code, again.json()["error"]) == (400, "exchange_expired")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/.well-known/oauth-protected-resource", answer(500)),
        ("/oauth/par", answer(503)),
        ("/oauth/par", hang()),
    ],
)
async def test_start_with_a_provider_that_is_down_says_so_in_time(
    open_api: OpenApi, faulty_network: Network, faults: FaultProxy, path: str, fault: Fault
) -> None:
    client, _ = await open_api(faulty_network)
    account = faulty_network.new_account()
    faults.on(path, fault, times=float("inf"))
    told = login_error(await start(client, account.handle))
    assert (told["error"], told["handle"]) == ("provider_unreachable", account.handle)


async def test_callback_while_the_provider_is_down_says_so(
    open_api: OpenApi, faulty_network: Network, faults: FaultProxy
) -> None:
    client, _ = await open_api(faulty_network)
    account = faulty_network.new_account()
    callback = await approve(await start(client, account.handle), account.handle, account.password)
    faults.on("/oauth/token", answer(502))
    assert login_error(await finish_url(client, callback))["error"] == "provider_unreachable"


async def test_sign_out_ends_the_session_at_once(client: httpx.AsyncClient, alice: SignedIn) -> None:
    stranger = another_browser(client)
    assert (await stranger.post("/auth/logout", headers=alice.authorization)).status_code == 204
    assert (await stranger.get("/auth/me", headers=alice.authorization)).json()["error"] == "not_signed_in"
    assert (await stranger.post("/auth/logout", headers=alice.authorization)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:5173"}, 403),
        (OWN, 204),
    ],
)
async def test_writes_with_a_cookie_need_our_own_pages(
    client: httpx.AsyncClient, alice: SignedIn, headers: dict[str, str], status: int
) -> None:
    answered = await client.post("/auth/logout", headers=headers)
    assert answered.status_code == status
    assert (await client.get("/auth/me")).status_code == (401 if status == 204 else 200)
    if status == 204:
        assert 'session_id=""' in answered.headers["set-cookie"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Bearer " + "x" * 9000, "Basic eDp5"])
async def test_me_with_a_wrong_session_is_not_signed_in(client: httpx.AsyncClient, header: str) -> None:
    answered = await client.get("/auth/me", headers={"authorization": header})
    assert (answered.status_code, answered.json()["error"]) == (401, "not_signed_in")


async def test_client_metadata_of_development_is_a_loopback_client(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/oauth-client-metadata.json")).json()
    assert metadata["client_id"].startswith("http://localhost?")
    assert metadata["redirect_uris"] == ["http://127.0.0.1:5173/api/auth/callback"]
    assert (await client.get("/.well-known/jwks.json")).json() == {"keys": []}
