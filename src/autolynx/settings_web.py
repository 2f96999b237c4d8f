"""What the settings say about requests from outside: who may ask how often, under which names, by which proofs."""

import re
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

_SEPARATORS = re.compile(r"[,\s]+")
_HOST = re.compile(r"^\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$")

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

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
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

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value
