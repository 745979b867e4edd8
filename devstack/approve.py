"""what a person does in the PDS's own sign-in pages, by the requests those pages send."""

from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from urllib.parse import urlsplit

import httpx

_PAGES = "/@atproto/oauth-provider/~api"


class NotApproved(Exception):
    """the PDS refused a step; the message names it with the answer."""


@dataclass
class _Browser:
    """one visit: keeps cookies and sends the headers a browser would."""

    http: httpx.AsyncClient
    authorize_url: str
    cookies: httpx.Cookies = field(default_factory=lambda: httpx.Cookies(CookieJar()))

    @property
    def origin(self) -> str:
        parts = urlsplit(self.authorize_url)
        return f"{parts.scheme}://{parts.netloc}"

    def _cookie_header(self) -> str:
        # by hand: the PDS marks its csrf cookie Secure, which a browser allows on localhost and httpx does not
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies.jar)

    async def open(self, url: str, site: str) -> httpx.Response:
        """navigate to a page."""
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        if site == "same-origin":
            headers |= {"referer": self.authorize_url, "cookie": self._cookie_header()}
        answer = await self.http.get(url, headers=headers, follow_redirects=False)
        self.cookies.extract_cookies(answer)
        return answer

    async def call(self, step: str, body: dict[str, object], token: str | None = None) -> httpx.Response:
        """send what the page's script sends; errors: NotApproved."""
        csrf = next(str(cookie.value) for cookie in self.cookies.jar if cookie.name == "csrf-token")
        headers = {
            "origin": self.origin,
            "referer": self.authorize_url,
            "sec-fetch-site": "same-origin",
            "sec-fetch-mode": "same-origin",
            "sec-fetch-dest": "empty",
            "x-csrf-token": csrf,
            "cookie": self._cookie_header(),
        }
        if token:
            headers["authorization"] = f"Bearer {token}"
        answer = await self.http.post(f"{self.origin}{_PAGES}/{step}", json=body, headers=headers)
        self.cookies.extract_cookies(answer)
        if answer.status_code != 200:
            raise NotApproved(f"{step}: {answer.status_code} {answer.text[:300]}")
        return answer


async def approve(authorize_url: str, handle: str, password: str, *, reject: bool = False) -> str:
    """sign in at the PDS, consent (or refuse), and return the url the PDS sends the browser back to.

    cost: half a second, most of it the PDS checking the password
    errors: NotApproved, e.g. for a wrong password
    """
    async with httpx.AsyncClient(timeout=30) as http:
        browser = _Browser(http, authorize_url)
        page = await browser.open(authorize_url, "cross-site")
        if "location" in page.headers:
            return page.headers["location"]
        if page.status_code != 200:
            raise NotApproved(f"authorize page: {page.status_code} {page.text[:300]}")
        decided = await (_refuse(browser) if reject else _consent(browser, handle, password))
        back = await browser.open(decided.json()["url"], "same-origin")
        if "location" not in back.headers:
            raise NotApproved(f"redirect: {back.status_code} {back.text[:300]}")
        return back.headers["location"]


async def _consent(browser: _Browser, handle: str, password: str) -> httpx.Response:
    credentials: dict[str, object] = {"locale": "en", "username": handle, "password": password, "remember": False}
    signed_in = (await browser.call("sign-in", credentials)).json()
    return await browser.call("consent", {"did": signed_in["account"]["did"]}, signed_in.get("ephemeralToken"))


async def _refuse(browser: _Browser) -> httpx.Response:
    return await browser.call("reject", {})
