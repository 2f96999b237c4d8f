"""Builds the runtime, once per process; the only place that picks concrete classes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from autolynx.archive.bucket import RecordingBucket
from autolynx.archive.folder import RecordingFolder
from autolynx.archive.port import RecordingStore
from autolynx.archive.s3_signature import S3Account
from autolynx.errors import ConfigurationError
from autolynx.flows.assistants import seed_templates
from autolynx.flows.choosing_settings import refresh_settings
from autolynx.flows.engine import Engine
from autolynx.flows.people import ensure_admin
from autolynx.flows.refill import Refiller
from autolynx.flows.tick import Ticker
from autolynx.identity.mail import Mailer, MailSecurity, SmtpMailer
from autolynx.identity.supabase import SupabaseAuth
from autolynx.log import log
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.vapi_http import Launch, launch_client
from autolynx.provider.wire_requests import WebhookTarget
from autolynx.runtime import Clock, Runtime, SystemClock
from autolynx.settings import Settings
from autolynx.store.database import Database
from autolynx.store.embedded import EmbeddedPostgres
from autolynx.store.embedded_guard import guarding
from autolynx.store.migrate import Migration, migrate

NO_KEY = (
    "VAPI_API_KEY is not set: set it to the private key of your Vapi account, "
    "or see the whole product without an account by `autolynx demo`."
)
FUNCTION_POOL_SIZE = 2  # a function serves few requests at once, and there may be many functions


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database: the one that DATABASE_URL names, else a server of our own in DATA_DIR. Migrates nothing.

    Raises ConfigurationError (a function without DATABASE_URL, a malformed one), DatabaseUnavailable.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
        elif settings.runtime == "function":
            raise ConfigurationError("DATABASE_URL must be set when RUNTIME is function: a function has no disk.")
        else:
            stack.enter_context(guarding(settings.data_dir))
            url = (await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))).url
        database = await _open_pool(settings, url)
        stack.push_async_callback(database.close)
        yield database


async def _open_pool(settings: Settings, url: str) -> Database:
    """Open connections: in a function few, and none before the first is needed."""
    if settings.runtime == "function":
        return await Database.open(url, min_size=0, max_size=min(FUNCTION_POOL_SIZE, settings.database_pool_size))
    return await Database.open(url, max_size=settings.database_pool_size)


@asynccontextmanager
async def open_bare_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Build the runtime on the database as it is. Without VAPI_API_KEY the provider refuses whatever it is asked."""
    clock = SystemClock()
    async with open_database(settings) as database:
        provider = build_provider(settings, clock)
        recordings = build_archive(settings, clock)
        identity = build_identity(settings, clock)
        try:
            yield Runtime(
                configured=settings,
                database=database,
                provider=provider,
                clock=clock,
                recordings=recordings,
                mailer=build_mailer(settings),
                identity=identity,
            )
        finally:
            await provider.close()
            if recordings is not None:
                await recordings.close()
            if identity is not None:
                await identity.close()


@asynccontextmanager
async def open_runtime(settings: Settings, *, may_ask_provider: bool = True) -> AsyncIterator[Runtime]:
    """Build the runtime; except in a function the database is brought up to date first. Nothing moves by itself yet.

    `may_ask_provider`: False for work that never asks the provider, and so needs no key. Raises ConfigurationError
    where a key is needed and VAPI_API_KEY is not set, and what the database raises.
    """
    if may_ask_provider and settings.vapi_api_key is None:
        raise ConfigurationError(NO_KEY)
    async with open_bare_runtime(settings) as runtime:
        if settings.runtime == "server":
            await bring_up_to_date(runtime)
        yield runtime


async def bring_up_to_date(runtime: Runtime) -> list[Migration]:
    """Apply the migrations that the database lacks and put in the templates; returns what was applied."""
    applied = await migrate(runtime.database)
    for migration in applied:
        log.info("database.migrated", version=migration.version, migration=migration.name)
    await seed_templates(runtime)
    await refresh_settings(runtime)
    if runtime.settings.admin_email is not None:
        await ensure_admin(runtime, runtime.settings.admin_email)
    return applied


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Open the runtime and, on a server, start what moves by itself: the refiller and the built-in ticker.

    At the end the ticker stops first, then every dial under way is waited for, then provider and database close;
    the last user of an embedded server stops it.
    """
    async with open_runtime(settings) as runtime:
        if settings.runtime == "function":
            yield Engine(runtime=runtime, refiller=None, ticker=None)
            return
        refiller = Refiller(runtime)
        ticker = Ticker(runtime)
        try:
            yield Engine(runtime=runtime, refiller=refiller, ticker=ticker)
        finally:
            await ticker.stop()
            await refiller.drain()


def build_provider(settings: Settings, clock: Clock, *, launch: Launch = launch_client) -> VapiProvider:
    """Build the client of the voice provider. Without VAPI_API_KEY the provider refuses whatever it is asked.

    `launch` starts the HTTP client.
    """
    key, secrets = settings.vapi_api_key, settings.webhook_secrets
    return VapiProvider(
        base_url=settings.vapi_base_url,
        api_key=key.get_secret_value() if key else "not-set",
        webhook=WebhookTarget(
            url=settings.webhook_url,
            secret=secrets[0] if secrets else None,
            credential_id=settings.vapi_webhook_credential_id,
        ),
        now=clock.now,
        timeout_seconds=settings.provider_timeout,
        redacts=settings.redact_transcripts,
        launch=launch,
        hidden=(*secrets, *settings.webhook_hmac_secrets),
    )


def build_archive(settings: Settings, clock: Clock) -> RecordingStore | None:
    """Build the place for copies of recordings; None where none are made."""
    if settings.recording_store == "s3":
        secret = settings.s3_secret_access_key
        account = S3Account(
            region=settings.s3_region,
            key_id=settings.s3_access_key_id or "",
            secret=secret.get_secret_value() if secret else "",
        )
        return RecordingBucket(
            endpoint=settings.s3_endpoint or "", bucket=settings.s3_bucket or "", account=account, now=clock.now
        )
    folder = settings.recordings_folder
    return RecordingFolder(folder) if folder else None


def build_mailer(settings: Settings) -> Mailer | None:
    """Build what sends mail; None where no mail server is set."""
    if settings.smtp_host is None:
        return None
    secret = settings.smtp_password
    return SmtpMailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from or "",
        security=MailSecurity(settings.smtp_security),
        user=settings.smtp_user,
        password=secret.get_secret_value() if secret else None,
    )


def build_identity(settings: Settings, clock: Clock) -> SupabaseAuth | None:
    """Build the client of the project where people have their accounts; None where they have them here."""
    if settings.supabase_url is None or settings.supabase_anon_key is None:
        return None
    secret = settings.supabase_jwt_secret
    return SupabaseAuth(
        project_url=settings.supabase_url,
        anon_key=settings.supabase_anon_key.get_secret_value(),
        jwt_secret=secret.get_secret_value() if secret else None,
        now=clock.now,
    )
