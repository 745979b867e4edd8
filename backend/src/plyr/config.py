"""The settings of the services, read once at the entry point and handed down as values."""

import sys
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_REPO_LEXICONS = Path(__file__).resolve().parents[3] / "lexicons"

_JETSTREAMS = ",".join(
    f"wss://jetstream{number}.us-{coast}.bsky.network" for coast in ("east", "west") for number in (1, 2)
)


class Settings(BaseSettings):
    """Everything a deployment can choose, one environment variable a field.

    errors: ValidationError naming every missing or unusable setting; `load_settings` makes it readable
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_url: str
    """where Postgres is, `postgresql://…`"""
    storage_url: str
    """where audio and images lie: `file:///folder` or `s3://bucket?endpoint=…&region=…`"""
    encryption_keys: SecretStr
    """Fernet keys for tokens at rest, comma-separated, newest first; older ones only decrypt"""
    web_origin: str
    """the address people visit, e.g. `http://127.0.0.1:5173`"""
    media_base_url: str | None = None
    """a CDN in front of storage; without it the api serves audio and images itself"""
    docket_url: str = "memory://"
    """the worker's queue: in memory on one machine, `redis://…` for many workers"""
    docket_name: str = "plyr"
    """names of queues on one Redis must differ"""
    atproto_namespace: str = Field("fm.plyr.dev", pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")
    """the collections this deployment reads and writes, e.g. `fm.plyr`"""
    atproto_plc_url: str = "https://plc.directory"
    """the directory that knows did:plc identities"""
    atproto_handle_servers: str = ""
    """development only: `.test=http://localhost:2583`, handles of a suffix are asked there"""
    atproto_allow_loopback: bool = False
    """development only: strangers' URLs may be http on this machine"""
    ingest_source: Literal["jetstream", "subscribe_repos"] = "jetstream"
    """how repo events are heard: from Jetstream hosts, or from one relay or PDS itself"""
    ingest_hosts: str = _JETSTREAMS
    """websocket addresses of the source, comma-separated; several for jetstream, one for subscribe_repos"""
    ingest_lag_limit_s: float = Field(60.0, gt=0)
    """how far the index may be behind the newest event before ingest says that it is not ready"""
    oauth_client_keys: SecretStr | None = None
    """JSON list of private EC keys (JWK with `kid`), newest first; makes the client confidential"""
    upload_max_mb: int = Field(1536, ge=1)
    """largest audio file, in MB of 1 000 000 bytes"""
    image_max_mb: int = Field(20, ge=1)
    """largest cover image, in MB of 1 000 000 bytes"""
    job_lease_s: float = Field(30.0, gt=0)
    """a job whose worker is silent for so long is taken over"""
    echo_overdue_s: float = Field(180.0, gt=0)
    """an own write that the stream of events has not brought back after so long is a warning"""
    log_format: Literal["console", "json"] = "json"
    """how log lines are written"""
    lexicon_dir: Path = _REPO_LEXICONS
    """the folder of the lexicons, the contract of our records"""

    @field_validator("web_origin")
    @classmethod
    def _origin_only(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise ValueError("must be an origin such as https://plyr.example")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("encryption_keys")
    @classmethod
    def _usable_keys(cls, value: SecretStr) -> SecretStr:
        keys = [key.strip() for key in value.get_secret_value().split(",") if key.strip()]
        if not keys:
            raise ValueError("holds no key")
        for key in keys:
            try:
                Fernet(key)
            except ValueError:
                raise ValueError("holds something that is not a Fernet key") from None
        return value

    @field_validator("ingest_hosts")
    @classmethod
    def _websocket_origins(cls, value: str) -> str:
        for host in (host.strip() for host in value.split(",")):
            parts = urlsplit(host)
            if parts.scheme not in ("ws", "wss") or not parts.netloc or parts.path not in ("", "/") or parts.query:
                raise ValueError("must be addresses such as wss://relay.example, comma-separated")
        return value

    @model_validator(mode="after")
    def _one_host_of_numbers(self) -> "Settings":
        if self.ingest_source == "subscribe_repos" and len(self.ingest_host_list) != 1:
            raise ValueError("INGEST_HOSTS must name exactly one host, its numbers mean nothing to another one")
        return self

    @model_validator(mode="after")
    def _production_is_strict(self) -> "Settings":
        if self.web_origin.startswith("https://"):
            if self.oauth_client_keys is None:
                raise ValueError("OAUTH_CLIENT_KEYS is required when WEB_ORIGIN is https")
            if self.atproto_allow_loopback:
                raise ValueError("ATPROTO_ALLOW_LOOPBACK is for development, not for an https WEB_ORIGIN")
        if not self.lexicon_dir.is_dir():
            raise ValueError(f"LEXICON_DIR is not a folder: {self.lexicon_dir}")
        return self

    @property
    def handle_servers(self) -> dict[str, str]:
        """The servers asked about handles of a suffix, by suffix."""
        pairs = (pair.partition("=") for pair in self.atproto_handle_servers.split(",") if "=" in pair)
        return {suffix.strip(): server.strip() for suffix, _, server in pairs}

    @property
    def ingest_host_list(self) -> list[str]:
        """The addresses of the source of repo events, no final slash."""
        return [host.strip().rstrip("/") for host in self.ingest_hosts.split(",")]

    @property
    def media_url(self) -> str:
        """The base under which audio and images are reachable, no final slash."""
        return (self.media_base_url or f"{self.web_origin}/api").rstrip("/")

    @property
    def upload_max_bytes(self) -> int:
        """Largest audio file in bytes."""
        return self.upload_max_mb * 1_000_000

    @property
    def image_max_bytes(self) -> int:
        """Largest cover image in bytes."""
        return self.image_max_mb * 1_000_000


def load_settings() -> Settings:
    """Return the settings of this process's environment, or end it with one line per fault and status 2."""
    try:
        return Settings()
    except ValidationError as error:
        _refuse(error)


def _refuse(error: ValidationError) -> NoReturn:
    for fault in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in fault["loc"]).upper()
        what = "is not set" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
        print(f"refusing to start: {name} {what}".replace("  ", " "), file=sys.stderr)
    print("docs/backend/settings.md says what each setting is for.", file=sys.stderr)
    sys.exit(2)
