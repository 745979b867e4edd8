"""Which account a handle points to: DNS and the handle's own web server, both asked, never one against the other."""

import asyncio
from collections.abc import Mapping

import dns.asyncresolver
import dns.exception
import dns.resolver

from plyr.atproto.errors import AnswerUnusable, HostUnreachable, UrlRefused
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.identity.errors import HandleNotFound, HandleUnverified
from plyr.atproto.identity.syntax import is_did
from plyr.kit.ids import Did, Handle

_DNS_LIFETIME_S = 4.0


class HandleResolver:
    """Asks who a handle is.

    shape:  `servers` maps a suffix such as `.test` to a server that is asked instead (development only); the
            longest suffix wins
    errors: HandleNotFound; HandleUnverified when DNS and web disagree; HostUnreachable when nobody could be asked
    """

    def __init__(
        self,
        http: GuardedClient,
        *,
        dns_resolver: dns.asyncresolver.Resolver | None = None,
        servers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = http
        self._dns = dns_resolver
        self._servers = sorted((servers or {}).items(), key=lambda entry: -len(entry[0]))

    async def resolve(self, handle: Handle) -> Did:
        """Return the DID a handle points to. cost: a DNS query and an HTTPS request at once, bounded."""
        for suffix, server in self._servers:
            if handle.endswith(suffix):
                return self._agree(handle, [await self._ask_web(server, handle)])
        asked = (self._ask_dns(handle), self._ask_web(f"https://{handle}", handle))
        results = await asyncio.gather(*asked, return_exceptions=True)
        faults = [result for result in results if isinstance(result, BaseException)]
        for fault in faults:
            if len(faults) == len(asked) or not isinstance(fault, (HostUnreachable, UrlRefused)):
                raise fault
        return self._agree(handle, [result for result in results if not isinstance(result, BaseException)])

    def _agree(self, handle: Handle, found: list[set[str]]) -> Did:
        dids = set().union(*found)
        if len(dids) > 1:
            raise HandleUnverified(f"{handle} points to more than one account, so we cannot tell whose it is")
        if not dids:
            raise HandleNotFound(f"nobody answers for {handle}")
        return Did(dids.pop())

    async def _ask_dns(self, handle: Handle) -> set[str]:
        try:
            if self._dns is None:
                self._dns = dns.asyncresolver.Resolver()
            answer = await self._dns.resolve(f"_atproto.{handle}.", "TXT", lifetime=_DNS_LIFETIME_S, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return set()
        except (dns.exception.DNSException, OSError) as error:
            raise HostUnreachable(f"the name servers of {handle} did not answer") from error
        texts = (b"".join(record.strings).decode(errors="replace") for record in answer)
        dids = {text.removeprefix("did=").strip() for text in texts if text.startswith("did=")}
        return {did for did in dids if is_did(did)}

    async def _ask_web(self, server: str, handle: Handle) -> set[str]:
        try:
            answer = await self._http.get(
                f"{server}/.well-known/atproto-did",
                headers={"host": handle},
                deadline_s=6.0,
                max_bytes=4096,
            )
        except AnswerUnusable:
            return set()
        did = answer.text.strip()
        return {did} if answer.status == 200 and is_did(did) else set()
