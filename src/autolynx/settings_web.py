"""What the settings say about requests from outside: who may ask how often, under which names, by which proofs."""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

_PARTING = re.compile(r"[,\n]")
_SEPARATORS = re.compile(r"[,\s]+")
_HOST = re.compile(r"^\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$")

_HEADER = r"^[A-Za-z0-9-]{1,64}$"
_PLACES = re.compile(r"\{[^{}]*\}")
_KNOWN_PLACES = {"{body}", "{timestamp}", "{method}", "{url}", "{svix-id}"}

WebhookScheme = Literal["secret", "bearer", "hmac"]
Words = Annotated[tuple[str, ...], NoDecode]


class WebSettings(BaseSettings):
    """The part of the settings that concerns requests. A list is parted by commas or by spaces."""

    rate_limit_per_minute: int = Field(100, ge=0, alias="RATE_LIMIT_PER_MINUTE")
    rate_limit_pages_per_minute: int = Field(1200, ge=0, alias="RATE_LIMIT_PAGES_PER_MINUTE")
    rate_limit_uploads_per_minute: int = Field(10, ge=0, alias="RATE_LIMIT_UPLOADS_PER_MINUTE")
    rate_limit_exports_per_minute: int = Field(5, ge=0, alias="RATE_LIMIT_EXPORTS_PER_MINUTE")
    redis_url: SecretStr | None = Field(None, alias="REDIS_URL")

    allowed_hosts: Words = Field((), alias="ALLOWED_HOSTS")
    trusted_proxies: Words = Field((), alias="TRUSTED_PROXIES")
    body_timeout_seconds: float = Field(20, gt=0, le=600, alias="BODY_TIMEOUT_SECONDS")

    webhook_shared_secret: SecretStr | None = Field(None, alias="WEBHOOK_SHARED_SECRET")
    webhook_schemes: Annotated[tuple[WebhookScheme, ...], NoDecode] = Field(
        ("secret", "bearer"), alias="WEBHOOK_SCHEMES"
    )
    webhook_bearer_header: str = Field("Authorization", pattern=_HEADER, alias="WEBHOOK_BEARER_HEADER")
    webhook_reread: Literal["auto", "on", "off"] = Field("auto", alias="WEBHOOK_REREAD")
    webhook_hmac_secret: SecretStr | None = Field(None, alias="WEBHOOK_HMAC_SECRET")
    webhook_hmac_preset: Literal["default", "github", "svix"] = Field("default", alias="WEBHOOK_HMAC_PRESET")
    webhook_hmac_algorithm: Literal["sha256", "sha512", "sha1"] = Field("sha256", alias="WEBHOOK_HMAC_ALGORITHM")
    webhook_hmac_signature_header: str | None = Field(None, pattern=_HEADER, alias="WEBHOOK_HMAC_SIGNATURE_HEADER")
    webhook_hmac_timestamp_header: str | None = Field(None, pattern=_HEADER, alias="WEBHOOK_HMAC_TIMESTAMP_HEADER")
    webhook_hmac_message_id_header: str | None = Field(None, pattern=_HEADER, alias="WEBHOOK_HMAC_MESSAGE_ID_HEADER")
    webhook_hmac_format: str | None = Field(None, alias="WEBHOOK_HMAC_FORMAT")
    webhook_hmac_secret_is_base64: bool | None = Field(None, alias="WEBHOOK_HMAC_SECRET_IS_BASE64")
    webhook_hmac_tolerance_seconds: float = Field(300, ge=10, le=3600, alias="WEBHOOK_HMAC_TOLERANCE_SECONDS")

    @field_validator("allowed_hosts", "trusted_proxies", "webhook_schemes", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part for part in _SEPARATORS.split(value) if part) if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        lowered = tuple(name.lower().rstrip(".") for name in value)
        if not all(_HOST.match(name) for name in lowered):
            raise ValueError("must be names of hosts without port or path, for example calls.example.com,.example.net")
        return lowered

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            if network != "*":
                try:
                    ip_network(network, strict=False)
                except ValueError:
                    raise ValueError("must be addresses or networks, for example 10.0.0.0/8, or *") from None
        return value

    @field_validator("webhook_hmac_format")
    @classmethod
    def _covers_the_body(cls, value: str | None) -> str | None:
        if value is not None and ("{body}" not in value or set(_PLACES.findall(value)) - _KNOWN_PLACES):
            raise ValueError(f"must contain {{body}}, and of other places only {', '.join(sorted(_KNOWN_PLACES))}")
        return value

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The plain secrets that a webhook may bear; the first is the one that is sent along with new calls."""
        return several(self.webhook_shared_secret)

    @property
    def webhook_hmac_secrets(self) -> tuple[str, ...]:
        """The keys of signatures: the shared secrets where there are none of their own."""
        return several(self.webhook_hmac_secret) or self.webhook_secrets

    @property
    def rereads_ends(self) -> bool:
        """Whether an end of a call counts only after the provider was asked."""
        is_plain = bool({"secret", "bearer"} & set(self.webhook_schemes))
        return self.webhook_reread == "on" or (self.webhook_reread == "auto" and is_plain)

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value


def several(secret: SecretStr | None) -> tuple[str, ...]:
    """Return the secrets of a variable: several are accepted at once, parted by commas or lines, to be exchanged."""
    text = secret.get_secret_value() if secret else ""
    return tuple(part.strip() for part in _PARTING.split(text) if part.strip())
