"""The only reader of the environment. Every variable is documented in docs/settings.md; a test compares the two."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from autolynx.domain.advance import Timers
from autolynx.domain.email import checked_email
from autolynx.domain.pacing import PacingRules
from autolynx.domain.retention import RetentionDays
from autolynx.errors import ConfigurationError, ValidationProblem
from autolynx.settings_secrets import refusals
from autolynx.settings_web import WebSettings, several

VAPI_API = "https://api.vapi.ai"
WEBHOOK_PATH = "/api/webhooks/vapi"
MINIMUM_JWT_SECRET_LENGTH = 32  # HS256 needs as many bytes

RING_SECONDS = 120.0  # the longest that a phone rings
MARGIN_SECONDS = 300.0  # what we allow the provider beyond the longest call
LEASE_SECONDS = 30.0  # how long a claim may wait for its mark
FIRST_LOOK_SECONDS = 2.0  # after a request of unknown outcome
MINIMUM_REAL_SECONDS = 5.0  # what machines need, however fast the simulated clock runs


class Settings(WebSettings):
    """What the operator of this machine has set. Durations are seconds, sizes bytes.

    `NAME_FILE` names a file that holds the value of the secret `NAME`. Timers are read through the properties
    that end in `_timer` or through `scaled()`, which divide by TIME_SCALE.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    environment: Literal["development", "production"] = Field("development", alias="AUTOLYNX_ENV")
    runtime: Literal["server", "function"] = Field("server", alias="RUNTIME")
    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    data_dir: Path = Field(Path("data"), alias="DATA_DIR")
    database_pool_size: int = Field(10, ge=1, le=100, alias="DATABASE_POOL_SIZE")

    vapi_api_key: SecretStr | None = Field(None, alias="VAPI_API_KEY")
    vapi_base_url: str = Field(VAPI_API, alias="VAPI_BASE_URL")
    vapi_phone_number_id: str | None = Field(None, alias="VAPI_PHONE_NUMBER_ID")
    vapi_webhook_credential_id: str | None = Field(None, alias="VAPI_WEBHOOK_CREDENTIAL_ID")
    provider_timeout_seconds: float = Field(15.0, gt=0, le=120, alias="PROVIDER_TIMEOUT_SECONDS")

    public_url: str = Field("http://127.0.0.1:8000", alias="PUBLIC_URL")
    cron_shared_secret: SecretStr | None = Field(None, alias="CRON_SHARED_SECRET")
    cron_secret: SecretStr | None = Field(None, alias="CRON_SECRET")

    supabase_url: str | None = Field(None, alias="SUPABASE_URL")
    supabase_anon_key: SecretStr | None = Field(None, alias="SUPABASE_ANON_KEY")
    supabase_jwt_secret: SecretStr | None = Field(None, alias="SUPABASE_JWT_SECRET")
    admin_email: str | None = Field(None, alias="ADMIN_EMAIL")
    smtp_host: str | None = Field(None, alias="SMTP_HOST")
    smtp_port: int = Field(587, ge=1, le=65535, alias="SMTP_PORT")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", alias="SMTP_SECURITY")
    smtp_user: str | None = Field(None, alias="SMTP_USER")
    smtp_password: SecretStr | None = Field(None, alias="SMTP_PASSWORD")
    smtp_from: str | None = Field(None, alias="SMTP_FROM")

    default_concurrency_cap: int = Field(8, ge=1, le=50, alias="DEFAULT_CONCURRENCY_CAP")
    account_concurrency_cap: int = Field(10, ge=1, le=1000, alias="ACCOUNT_CONCURRENCY_CAP")
    inbound_reserve: int = Field(2, ge=0, le=1000, alias="INBOUND_RESERVE")
    launch_per_second: float = Field(1.0, ge=0, le=1000, alias="LAUNCH_PER_SECOND")
    free_number_daily_limit: int = Field(10, ge=0, alias="FREE_NUMBER_DAILY_LIMIT")
    breaker_threshold: int = Field(5, ge=1, le=1000, alias="BREAKER_THRESHOLD")

    default_cron_cadence: float = Field(60, ge=1, le=3600, alias="DEFAULT_CRON_CADENCE")
    call_timeout_seconds: float = Field(600, ge=60, le=86400, alias="CALL_TIMEOUT_SECONDS")
    reconcile_after_seconds: float = Field(90, ge=5, le=3600, alias="RECONCILE_AFTER_SECONDS")
    unknown_grace_seconds: float = Field(60, ge=5, le=3600, alias="UNKNOWN_GRACE_SECONDS")
    time_scale: float = Field(1.0, ge=1, le=1000, alias="TIME_SCALE")

    recording_store: Literal["folder", "s3", "off"] = Field("folder", alias="RECORDING_STORE")
    recordings_dir: Path | None = Field(None, alias="RECORDINGS_DIR")
    s3_endpoint: str | None = Field(None, alias="S3_ENDPOINT")
    s3_bucket: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$", alias="S3_BUCKET")
    s3_region: str = Field("us-east-1", pattern=r"^[a-z0-9-]{1,40}$", alias="S3_REGION")
    s3_access_key_id: str | None = Field(None, alias="S3_ACCESS_KEY_ID")
    s3_secret_access_key: SecretStr | None = Field(None, alias="S3_SECRET_ACCESS_KEY")
    max_recording_bytes: int = Field(104_857_600, ge=1024, alias="MAX_RECORDING_BYTES")

    redact_transcripts: bool = Field(False, alias="REDACT_TRANSCRIPTS")
    retain_campaigns_days: int = Field(730, ge=0, le=36500, alias="RETAIN_CAMPAIGNS_DAYS")
    anonymise_after_days: int = Field(0, ge=0, le=36500, alias="ANONYMISE_AFTER_DAYS")
    retain_webhooks_days: int = Field(730, ge=0, le=36500, alias="RETAIN_WEBHOOKS_DAYS")
    retain_events_days: int = Field(2555, ge=0, le=36500, alias="RETAIN_EVENTS_DAYS")
    retain_audit_days: int = Field(2555, ge=0, le=36500, alias="RETAIN_AUDIT_DAYS")

    default_region: str = Field("US", pattern=r"^[A-Z]{2}$", alias="DEFAULT_REGION")
    max_upload_bytes: int = Field(10_485_760, ge=1024, alias="MAX_UPLOAD_BYTES")
    max_upload_rows: int = Field(250_000, ge=1, alias="MAX_UPLOAD_ROWS")
    recent_call_days: int = Field(30, ge=0, le=3650, alias="RECENT_CALL_DAYS")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="LOG_LEVEL")

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917 - the signature is pydantic's
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the same
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load_settings` alone, so that a test never sees the machine's environment."""
        return (init_settings,)

    @field_validator("default_region", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("admin_email", "smtp_from")
    @classmethod
    def _is_email(cls, value: str | None) -> str | None:
        try:
            return None if value is None else checked_email(value)
        except ValidationProblem:
            raise ValueError("must be an address like ada@example.com") from None

    @field_validator("public_url", "vapi_base_url", "s3_endpoint", "supabase_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("must be an http or https address, for example https://calls.example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _s3_is_whole(self) -> "Settings":
        for name in ("S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"):
            if self.recording_store == "s3" and getattr(self, name.lower()) is None:
                raise ValueError(f"{name} must be set when RECORDING_STORE is s3")
        return self

    @model_validator(mode="after")
    def _supabase_is_whole(self) -> "Settings":
        if self.supabase_url is None:
            return self
        parts = urlsplit(self.supabase_url)
        if "@" in parts.netloc or f"{parts.scheme}://{parts.netloc}" != self.supabase_url:
            raise ValueError("SUPABASE_URL must be the address of the project alone, as https://PROJECT.supabase.co")
        if self.supabase_anon_key is None:
            raise ValueError("SUPABASE_ANON_KEY must be set where SUPABASE_URL is")
        key = self.supabase_anon_key.get_secret_value()
        if not all("!" <= char <= "~" for char in key):
            raise ValueError("SUPABASE_ANON_KEY has characters that no key has, such as a line break")
        if _opens_everything(key):
            raise ValueError("SUPABASE_ANON_KEY holds the project's secret key: use the anon or publishable one")
        secret = self.supabase_jwt_secret
        if secret is not None and len(secret.get_secret_value()) < MINIMUM_JWT_SECRET_LENGTH:
            raise ValueError(f"SUPABASE_JWT_SECRET is too weak: it has at least {MINIMUM_JWT_SECRET_LENGTH} characters")
        return self

    @model_validator(mode="after")
    def _smtp_is_whole(self) -> "Settings":
        if self.smtp_host is None:
            return self
        if self.smtp_from is None:
            raise ValueError("SMTP_FROM must be set with SMTP_HOST")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD must be set together")
        return self

    @model_validator(mode="after")
    def _production_fails_closed(self) -> "Settings":
        if self.environment != "production":
            return self
        if self.time_scale != 1:
            raise ValueError("TIME_SCALE must be 1 in production")
        if self.supabase_url is not None and not self.supabase_url.startswith("https://"):
            raise ValueError("SUPABASE_URL must be an https address in production")
        if refused := refusals(self):
            raise ValueError("; ".join(refused))
        return self

    @property
    def account_room(self) -> int:
        """Lines that outbound calls may use: the account cap less the reserve for inbound, at least one."""
        return max(1, self.account_concurrency_cap - self.inbound_reserve)

    @property
    def recordings_folder(self) -> Path | None:
        """The folder where copies of recordings are kept; None: in none. A function has no disk of its own."""
        if self.recording_store != "folder" or self.runtime == "function":
            return None
        return self.recordings_dir or self.data_dir / "recordings"

    @property
    def webhook_url(self) -> str:
        """Where the provider posts its webhooks."""
        return self.public_url + WEBHOOK_PATH

    @property
    def cron_secrets(self) -> tuple[str, ...]:
        """Secrets that the tick route accepts."""
        return several(self.cron_shared_secret) + several(self.cron_secret)

    def scaled(self, seconds: float) -> float:
        """Return a timer of that many seconds as it runs here: divided by TIME_SCALE."""
        return seconds / self.time_scale

    @property
    def timers(self) -> Timers:
        """How long we wait before we ask, guess or give up, as it runs here."""
        return Timers(
            reconcile_after=self.scaled(self.reconcile_after_seconds),
            call_timeout=self.scaled(self.call_timeout_seconds),
            unknown_grace=self.scaled(self.unknown_grace_seconds),
            first_look=self.scaled(FIRST_LOOK_SECONDS),
            answer_by=1.5 * self.provider_timeout,
            ring=self.scaled(RING_SECONDS),
            margin=self.scaled(MARGIN_SECONDS),
            lease=max(MINIMUM_REAL_SECONDS, self.scaled(LEASE_SECONDS)),
            time_scale=self.time_scale,
        )

    @property
    def provider_timeout(self) -> float:
        """How long the provider may take to answer. Scaled, but a real answer needs a few real seconds."""
        return max(MINIMUM_REAL_SECONDS, self.scaled(self.provider_timeout_seconds))

    @property
    def request_seconds(self) -> float:
        """How long a request for a call may be under way: a free connection, making it, and the answer."""
        return 4 * self.provider_timeout + 1

    @property
    def retention(self) -> RetentionDays:
        """For how long things are kept."""
        return RetentionDays(
            campaigns=self.retain_campaigns_days,
            people=self.anonymise_after_days,
            webhooks=self.retain_webhooks_days,
            events=self.retain_events_days,
            audit=self.retain_audit_days,
        )

    @property
    def pacing(self) -> PacingRules:
        """What the settings say about pace."""
        return PacingRules(
            account_room=self.account_room,
            launch_per_second=self.launch_per_second,
            breaker_threshold=self.breaker_threshold,
            time_scale=self.time_scale,
        )


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment (or the mapping given); `overrides` use the variables' names.

    Raises ConfigurationError naming the first variable that is malformed, missing or too weak.
    """
    values: dict[str, Any] = dict(os.environ if environ is None else environ)
    known = {str(field.alias) for field in Settings.model_fields.values()}
    chosen = {name: values[name] for name in known if values.get(name)}
    chosen |= {name: _read_secret_file(name, path) for name in known if (path := values.get(f"{name}_FILE"))}
    try:
        return Settings(**{**chosen, **{k: v for k, v in overrides.items() if v is not None}})
    except ValidationError as error:
        raise ConfigurationError(_first_problem(error)) from None


def _opens_everything(key: str) -> bool:
    """Whether a key of Supabase is one that no rule of the project binds: a new secret key or the old service_role."""
    payload = key.split(".")[1] if key.count(".") == 2 else ""
    try:
        claims = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_")
    except ValueError:
        claims = b""
    return key.startswith("sb_secret_") or b"service_role" in claims


def _read_secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{name}_FILE: the file cannot be read ({error.strerror}).") from None


def _first_problem(error: ValidationError) -> str:
    """Say what is wrong without repeating the value: it may be a secret."""
    problem = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in problem["loc"][:1])
    text = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {text}." if name else f"{text}."
