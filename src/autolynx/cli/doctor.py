"""`autolynx doctor`."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import typer

from autolynx.bootstrap import build_provider, open_database
from autolynx.cli.configuring import configured
from autolynx.cli.finding import Finding
from autolynx.cli.loop import run_async
from autolynx.cli.trust import look_at_trust
from autolynx.errors import AutolynxError, ConfigurationError
from autolynx.provider.port import Provider
from autolynx.provider.probe import is_private_address, probe_webhook
from autolynx.runtime import SystemClock
from autolynx.settings import VAPI_API, Settings
from autolynx.store.migrate import pending

app = typer.Typer(add_completion=False)
UNUSABLE = "blocked"


@app.command()
def doctor() -> None:
    """Check settings, database and provider, and say what to mend. Exit code 1 when something must be mended."""
    findings = run_async(_examine())
    for finding in findings:
        for line in finding.lines():
            print(line)
    if any(finding.mend and not finding.is_warning for finding in findings):
        raise typer.Exit(1)


async def _examine() -> list[Finding]:
    try:
        settings = configured(log_level="error")
    except ConfigurationError as error:
        return [Finding(subject="settings", sentence=error.message, mend="Correct that variable and run doctor again.")]
    findings = [Finding(subject="settings", sentence="all values can be read.")]
    findings += look_at_trust(settings)
    findings += await _database(settings)
    findings.append(_recordings(settings))
    findings += await _provider(settings)
    return [*findings, await _webhook(settings)]


async def _database(settings: Settings) -> list[Finding]:
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        sentence = f"none yet; a PostgreSQL of AutoLynx's own is set up in {settings.data_dir} at the first start."
        return [Finding(subject="database", sentence=sentence)]
    where = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.data_dir}"
    try:
        async with open_database(settings) as database, database.connection() as conn:
            lacking = await pending(conn)
    except AutolynxError as error:
        mend = "Correct DATABASE_URL, or leave it unset for a PostgreSQL of AutoLynx's own."
        return [Finding(subject="database", sentence=error.message, mend=mend)]
    if lacking:
        sentence = f"reachable ({where}), but {len(lacking)} migration(s) behind."
        return [Finding(subject="database", sentence=sentence, mend="Run: autolynx migrate", is_warning=True)]
    return [Finding(subject="database", sentence=f"reachable and up to date ({where}).")]


def _recordings(settings: Settings) -> Finding:
    if settings.recording_store == "s3":
        return Finding(subject="recordings", sentence=f"copies go to the bucket {settings.s3_bucket}.")
    if settings.recordings_folder is not None:
        return Finding(subject="recordings", sentence=f"copies are kept in {settings.recordings_folder}.")
    return Finding(
        subject="recordings",
        sentence="no copies are made; the provider deletes recordings after 14 days.",
        mend="Set RECORDING_STORE to s3 and the variables that name the bucket, if you need them for longer.",
        is_warning=True,
    )


async def _provider(settings: Settings) -> list[Finding]:
    if settings.vapi_api_key is None:
        mend = "Set VAPI_API_KEY to the private key of your account; `autolynx demo` and `run` work without one."
        return [Finding(subject="provider", sentence="VAPI_API_KEY is not set.", mend=mend)]
    async with AsyncExitStack() as stack:
        try:
            provider = build_provider(settings, SystemClock())
            stack.push_async_callback(provider.close)
            return await _account(settings, provider)
        except AutolynxError as error:
            mend = "Check VAPI_API_KEY (the private key, not the public one) and VAPI_BASE_URL."
            return [Finding(subject="provider", sentence=error.message, mend=mend)]


async def _account(settings: Settings, provider: Provider) -> list[Finding]:
    assistants = await provider.list_assistants()
    numbers = await provider.list_phone_numbers()
    findings = [Finding(subject="provider", sentence=f"the key is accepted by {settings.vapi_base_url}.")]
    mend = None if assistants else "Create one at the provider, or clone a template in AutoLynx."
    sentence = f"{len(assistants)} in the account."
    findings.append(Finding(subject="assistants", sentence=sentence, mend=mend, is_warning=True))
    usable = [number for number in numbers if number.status != UNUSABLE]
    mend = None if usable else "Buy or import a phone number at the provider."
    sentence = f"{len(usable)} usable of {len(numbers)}."
    findings.append(Finding(subject="phone numbers", sentence=sentence, mend=mend))
    return findings + _chosen_number(settings, [number.phone_number_id for number in usable])


def _chosen_number(settings: Settings, usable: Sequence[str]) -> list[Finding]:
    if settings.vapi_phone_number_id is None or settings.vapi_phone_number_id in usable:
        return []
    mend = f"Set it to one of: {', '.join(usable)}."
    return [Finding(subject="VAPI_PHONE_NUMBER_ID", sentence="not a usable number of this account.", mend=mend)]


async def _webhook(settings: Settings) -> Finding:
    url = settings.webhook_url
    if is_private_address(url) and settings.vapi_base_url == VAPI_API:
        sentence = f"{url} cannot be reached from the Internet; calls are followed by asking, which is slower."
        mend = "Set PUBLIC_URL to an https address that leads here, for example a tunnel."
        return Finding(subject="PUBLIC_URL", sentence=sentence, mend=mend, is_warning=True)
    problem = await probe_webhook(url)
    if problem is None:
        return Finding(subject="PUBLIC_URL", sentence=f"{url} answers and refuses strangers.")
    mend = "Start `autolynx serve` and check that PUBLIC_URL leads to it."
    return Finding(subject="PUBLIC_URL", sentence=f"{url}: {problem}.", mend=mend, is_warning=True)
