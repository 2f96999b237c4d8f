"""One person's data as a page: looked up by phone number, downloaded, erased. For admins.

The number travels in bodies alone: neither an address nor a log ever holds it.
"""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from autolynx.domain.retention import RetentionDays
from autolynx.errors import AutolynxError, Conflict, NotFound, ValidationProblem
from autolynx.flows import persons
from autolynx.flows.persons import Erasure
from autolynx.runtime import Runtime
from autolynx.store import suppressions
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.rendering import answer, fragment, page
from autolynx.web.pages.words import grouped

CONFIRMATION = "ERASE"

router = APIRouter(include_in_schema=False)
PhoneForm = Annotated[str, Form(max_length=100)]


@router.get("/privacy")
async def show_privacy(request: Request, runtime: RuntimeDep) -> Response:
    """Show how long things are kept, and ask whom it is about."""
    kept = runtime.settings.retention
    redacts = runtime.settings.redact_transcripts
    async with runtime.database.connection() as conn:
        suppressed = await suppressions.count(conn)
    return await page(
        request,
        "privacy.html",
        section="system",
        phone="",
        kept=_kept_lines(kept),
        redacts=redacts,
        suppressed=suppressed,
    )


@router.post("/privacy/lookup")
async def look_up(runtime: RuntimeDep, phone: PhoneForm = "") -> Response:
    """Show how much is kept of whoever has this number."""
    return await _person(runtime, phone)


@router.post("/privacy/erase")
async def erase(
    runtime: RuntimeDep,
    actor: CallerDep,
    phone: PhoneForm,
    confirmation: Annotated[str, Form(max_length=100)] = "",
    at_provider: Annotated[str, Form(max_length=10)] = "",
    never_again: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Erase, where the word was typed that says so."""
    if confirmation.strip().upper() != CONFIRMATION:
        return await _person(runtime, phone, refusal=f"Type {CONFIRMATION} to say that you mean it.")
    try:
        done = await persons.erase_person(
            runtime, phone, at_provider=bool(at_provider), never_again=bool(never_again), actor=actor.name
        )
    except (Conflict, NotFound) as refused:
        return await _person(runtime, phone, refusal=refused.message, status=HTTPStatus.CONFLICT)
    lines = _done_lines(done) + (["No later list calls this number."] if never_again else [])
    return answer(fragment("privacy_person.html", done=lines, phone=""))


@router.post("/privacy/allow")
async def allow(runtime: RuntimeDep, actor: CallerDep, phone: PhoneForm) -> Response:
    """Let a person be called again."""
    await persons.allow_again(runtime, phone, actor=actor.name)
    return await _person(runtime, phone)


async def _person(
    runtime: Runtime, phone: str, *, refusal: str | None = None, status: HTTPStatus = HTTPStatus.BAD_REQUEST
) -> Response:
    try:
        found = await persons.look_up(runtime, phone)
    except ValidationProblem as problem:
        return answer(_rendered(phone=phone, problem=_sentence(problem)), status=HTTPStatus.BAD_REQUEST)
    shown = _rendered(phone=found.phone, found=found, shown_phone=grouped(found.phone), refusal=refusal)
    return answer(shown, status=status if refusal else HTTPStatus.OK)


def _rendered(**values: Any) -> str:
    return fragment("privacy_person.html", confirmation=CONFIRMATION, **values)


def _sentence(problem: AutolynxError) -> str:
    return problem.message.removeprefix("phone: ")


def _kept_lines(kept: RetentionDays) -> list[tuple[str, str, str]]:
    """Return what goes after how long: word, time, setting."""
    return [
        ("Campaigns that are over, with their people", _days(kept.campaigns, "kept"), "RETAIN_CAMPAIGNS_DAYS"),
        ("People in campaigns that are over", _days(kept.people, "named"), "ANONYMISE_AFTER_DAYS"),
        ("What the provider sent", _days(kept.webhooks, "kept"), "RETAIN_WEBHOOKS_DAYS"),
        ("History of calls", _days(kept.events, "kept"), "RETAIN_EVENTS_DAYS"),
        ("Audit log", _days(kept.audit, "kept"), "RETAIN_AUDIT_DAYS"),
    ]


def _days(days: int, word: str) -> str:
    if not days:
        return f"{word} for ever"
    return f"{word} for {days:,} {'day' if days == 1 else 'days'}"


def _done_lines(done: Erasure) -> list[str]:
    erased = done.erased
    lines = [f"{_counted(erased.contacts, 'contact')} and {_counted(erased.calls, 'call')} are nobody's now."]
    if erased.recordings:
        lines.append(f"{_counted(erased.recordings, 'recording')} will be deleted by the next tick.")
    if done.at_provider:
        lines.append(f"The provider is asked to delete its data of {_counted(done.at_provider, 'call')}.")
    if done.upload_rows:
        lines.append(f"{_counted(done.upload_rows, 'row')} of uploads that wait for a campaign are gone.")
    return lines


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
