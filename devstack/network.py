"""the local AT Protocol network of `atmosphere/`, seen from python: start it, make accounts, read what they hold."""

import json
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from devstack.paths import ATMOSPHERE, node, npm_packages
from devstack.ports import free_ports
from devstack.processes import tied_to_parent

PASSWORD = "atmosphere"
HANDLES = ("alice.test", "bob.test")


class NetworkFailed(Exception):
    """the local network did not start; the message holds what it said."""


@dataclass(frozen=True)
class Options:
    """how to start it; see `node atmosphere/src/main.js --help`."""

    dir: Path
    plc_port: int = 2582
    pds_port: int = 2583
    pds_listen_port: int | None = None
    accounts: Sequence[str] = HANDLES
    password: str = PASSWORD
    token_max_age_ms: int | None = None
    blob_limit_bytes: int | None = None
    rate_limits: bool = False
    redirects: Mapping[str, str] = field(default_factory=dict)
    lexicon_authority: str | None = None
    plc_url: str | None = None
    domain: str = ".test"

    def argv(self) -> list[str]:
        """return the command that starts it; errors: NotSetUp."""
        npm_packages(ATMOSPHERE)
        given = {
            "--dir": self.dir,
            "--plc-port": self.plc_port,
            "--pds-port": self.pds_port,
            "--pds-listen-port": self.pds_listen_port,
            "--accounts": ",".join(self.accounts),
            "--password": self.password,
            "--token-max-age": self.token_max_age_ms,
            "--blob-limit": self.blob_limit_bytes,
            "--lexicons": self.lexicon_authority,
            "--plc-url": self.plc_url,
            "--domain": self.domain,
        }
        words = [f"{name}={value}" for name, value in given.items() if value is not None]
        words += [f"--map={from_url}={to_url}" for from_url, to_url in self.redirects.items()]
        if self.rate_limits:
            words.append("--rate-limits")
        return [str(node()), str(ATMOSPHERE / "src" / "main.js"), *words]


@dataclass(frozen=True)
class Account:
    """somebody on the local PDS, with a session of their own there (not OAuth)."""

    handle: str
    did: str
    password: str
    access_token: str = field(repr=False)

    @property
    def authorization(self) -> dict[str, str]:
        """the header for direct calls to the PDS."""
        return {"authorization": f"Bearer {self.access_token}"}


@dataclass(frozen=True)
class Network:
    """a running network: its addresses, and what tests do with it directly (blocking calls of some ms)."""

    plc_url: str
    pds_url: str
    accounts: dict[str, str]
    pid: int
    domain: str = ".test"

    @classmethod
    def from_ready(cls, event: dict[str, Any], domain: str = ".test") -> "Network":
        """read the launcher's ready event."""
        return cls(event["plcUrl"], event["pdsUrl"], event["accounts"], event["pid"], domain)

    def backend_settings(self) -> dict[str, str]:
        """return the backend's environment variables that point it at this network."""
        return {
            "ATPROTO_PLC_URL": self.plc_url,
            "ATPROTO_HANDLE_SERVERS": f"{self.domain}={self.pds_url}",
            "ATPROTO_ALLOW_LOOPBACK": "true",
            "INGEST_SOURCE": "subscribe_repos",
            "INGEST_HOSTS": self.pds_url.replace("http", "ws", 1),
        }

    def new_account(self, handle: str | None = None, *, password: str = PASSWORD) -> Account:
        """make an account; cost: about 80 ms."""
        handle = handle or f"u{secrets.token_hex(5)}{self.domain}"
        body = {"handle": handle, "email": f"{handle}@mail.test", "password": password}
        made = self._post("com.atproto.server.createAccount", body)
        return Account(handle, made["did"], password, made["accessJwt"])

    def log_in(self, handle: str, *, password: str = PASSWORD) -> Account:
        """return an account that exists, with a session of its own; cost: about 350 ms."""
        made = self._post("com.atproto.server.createSession", {"identifier": handle, "password": password})
        return Account(made["handle"], made["did"], password, made["accessJwt"])

    def records(self, did: str, collection: str) -> list[dict[str, Any]]:
        """return all records of one collection as {uri, cid, value}, newest first; at most 100."""
        query: dict[str, str | int] = {"repo": did, "collection": collection, "limit": 100}
        answer = httpx.get(f"{self.pds_url}/xrpc/com.atproto.repo.listRecords", params=query)
        answer.raise_for_status()
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    def _post(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self.pds_url}/xrpc/{method}", json=body, timeout=30)
        if answer.is_error:
            raise NetworkFailed(f"{method}: {answer.status_code} {answer.text[:300]}")
        result: dict[str, Any] = answer.json()
        return result

    def to_json(self) -> str:
        """return everything needed to find this network from another process."""
        return json.dumps(asdict(self))


@contextmanager
def running(options: Options) -> Iterator[Network]:
    """run a network while the block runs; cost: 2 s to start; errors: NetworkFailed."""
    options.dir.mkdir(parents=True, exist_ok=True)
    log = options.dir / "atmosphere.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            options.argv(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=tied_to_parent(),
        )
    try:
        yield Network.from_ready(_wait_ready(process, log), options.domain)
    finally:
        _stop(process)


@contextmanager
def running_on_free_ports(folder: Path, *, accounts: Sequence[str] = ()) -> Iterator[Network]:
    """run a network of one's own, nobody in it unless asked for."""
    plc_port, pds_port = free_ports(2)
    with running(Options(folder, plc_port, pds_port, accounts=accounts)) as network:
        yield network


def _wait_ready(process: "subprocess.Popen[str]", log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "ready":
            return event
        said.append(line)
    raise NetworkFailed("the local network did not start:\n" + "".join(said) + log.read_text(errors="replace")[-2000:])


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()
