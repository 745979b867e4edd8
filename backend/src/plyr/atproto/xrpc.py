"""Calls of a PDS: XRPC over HTTP, authorized by a DPoP-bound token.

source: https://atproto.com/specs/xrpc
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import orjson

from plyr.atproto.errors import AnswerUnusable
from plyr.atproto.guarded import Answer, Body
from plyr.atproto.oauth.dpop import DpopSender, Outgoing
from plyr.atproto.oauth.keys import SigningKey

Method = Literal["GET", "POST"]

# a nonce lives for minutes; a stream is not begun with one that is about to end
_NONCE_FRESH_S = 60.0
_UPLOAD_BYTES_PER_S = 100_000
_DEADLINE_S = 12.0


@dataclass(frozen=True, slots=True)
class XrpcResponse:
    """A PDS's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty body is an empty object. errors: AnswerUnusable."""
        if not self.body:
            return {}
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            raise AnswerUnusable("the server answered with something that is not a JSON object")
        return value

    @property
    def error(self) -> str:
        """The XRPC error name of a refusal, or empty."""
        return self._text("error")

    @property
    def message(self) -> str:
        """The server's own words about a refusal, or empty."""
        return self._text("message")

    def _text(self, name: str) -> str:
        try:
            return str(self.json().get(name, ""))[:500]
        except AnswerUnusable:
            return ""


@dataclass(frozen=True, slots=True)
class XrpcCall:
    """One call, as often as it must be sent.

    shape:  `json` or `content` or neither; a streamed `content` is a function that starts the stream anew,
            and needs `content_length` if the server wants it
    """

    method: Method
    nsid: str
    params: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    content: Body | None = None
    content_length: int | None = None
    headers: Mapping[str, str] | None = None

    def path(self) -> str:
        """Return the path and query."""
        query = f"?{urlencode(self.params)}" if self.params else ""
        return f"/xrpc/{self.nsid}{query}"

    def build(self) -> Outgoing:
        """Return the headers and the body, from its first byte."""
        headers = {"accept": "application/json", **(self.headers or {})}
        if self.json is not None:
            return Outgoing({**headers, "content-type": "application/json"}, orjson.dumps(self.json))
        if self.content_length is not None:
            headers["content-length"] = str(self.content_length)
        return Outgoing(headers, self.content)

    @property
    def deadline_s(self) -> float:
        """How long the call may take: longer for a long body."""
        return _DEADLINE_S + (self.content_length or 0) / _UPLOAD_BYTES_PER_S


async def send(
    sender: DpopSender, pds_url: str, call: XrpcCall, *, dpop_key: SigningKey, access_token: str, max_bytes: int
) -> XrpcResponse:
    """Send a call to a PDS and return its answer, whatever its status.

    errors: UrlRefused, HostUnreachable, AnswerUnusable of the network
    cost:   one request, two when the server wants another nonce; before a stream a small one to learn the nonce
    """
    url = pds_url + call.path()
    if callable(call.content) and sender.nonce_age_s(url) > _NONCE_FRESH_S:
        probe = f"{pds_url}/xrpc/com.atproto.server.getSession"
        await sender.send(dpop_key, "GET", probe, Outgoing, access_token=access_token)
    answer: Answer = await sender.send(
        dpop_key,
        call.method,
        url,
        call.build,
        access_token=access_token,
        deadline_s=call.deadline_s,
        max_bytes=max_bytes,
    )
    return XrpcResponse(answer.status, answer.headers, answer.body)
