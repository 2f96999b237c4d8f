"""What a person does on the page of the system: the red button, a tick, and decisions about unsure contacts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from autolynx.domain.actor import Actor
from autolynx.errors import NotFound, ValidationProblem
from autolynx.flows.dialing import Decision
from autolynx.flows.phone_line import PhoneLines
from autolynx.flows.tick import Ticked, run_once
from autolynx.runtime import Runtime
from autolynx.store import feed, gate
from autolynx.store.owners import list_owned_calls
from autolynx.web import dialing_moves
from autolynx.web.api.dialing import DEFAULT_REASON
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.account_view import account_view
from autolynx.web.pages.call import call_id_of
from autolynx.web.pages.decided import decided_sentence
from autolynx.web.pages.fragments import account_part
from autolynx.web.pages.rendering import answer, fragment, toast
from autolynx.web.pages.system import ROWS, LinesDep, Wish, health_values, state_part, unsure_values
from autolynx.web.shapes import unstorable

LONGEST_REASON = 200

router = APIRouter(include_in_schema=False)
PageForm = Annotated[str, Form(alias="page")]


@router.get("/system/hold")
async def ask_to_hold(runtime: RuntimeDep) -> Response:
    """Show what the red button does, before it is pressed."""
    async with runtime.database.connection() as conn:
        account, lines = await gate.get(conn), await gate.count_lines(conn)
    return answer(fragment("hold_dialog.html", account=account, lines=lines, longest=LONGEST_REASON))


@router.post("/system/hold")
async def hold(
    runtime: RuntimeDep,
    actor: CallerDep,
    lines: LinesDep,
    reason: Annotated[str, Form()] = "",
    live_calls: Annotated[str, Form(alias="liveCalls")] = "end",
) -> Response:
    """Press the red button."""
    hangs_up = live_calls == "hang-up"
    hung_up = await dialing_moves.hold(runtime, reason=_reason(reason), hangs_up=hangs_up, actor=actor.name)
    return await _stands(runtime, actor, lines, _held_sentence(hung_up, hangs_up=hangs_up))


@router.post("/system/release")
async def release(runtime: RuntimeDep, actor: CallerDep, lines: LinesDep, launching: LaunchingDep) -> Response:
    """Let dialling go on."""
    await dialing_moves.release(runtime, launching, actor=actor.name)
    return await _stands(runtime, actor, lines, "Dialling goes on: calls go out as lines are free.")


@router.post("/system/tick")
async def tick(runtime: RuntimeDep, lines: LinesDep) -> Response:
    """Tick now."""
    ticked = await run_once(runtime)
    health = fragment("system_health_part.html", may_tick=True, **await health_values(runtime))
    return answer(health, await state_part(runtime, lines, may_hold=True), toast(_ticked_sentence(ticked)))


@router.get("/system/unsure")
async def ask_about_all(runtime: RuntimeDep, actor: CallerDep, decision: str = "", page: str = "") -> Response:
    """Show what one decision about everybody in view means, before it is made."""
    wanted = _decision(decision)
    views = (await unsure_values(runtime, Wish.of(unsure=page), owner_id=actor.sees_only))["unsure"]
    calls = [view.seen.call_id for view in views if view.may_redial or wanted is Decision.LEAVE]
    return answer(fragment("unsure_dialog.html", decision=wanted, calls=calls, page=page))


@router.post("/system/unsure")
async def decide_about_all(
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    call: Annotated[list[UUID], Form(max_length=ROWS)],
    decision: Annotated[str, Form()],
    page: PageForm = "",
) -> Response:
    """Decide about all that were in view; who was decided about meanwhile is passed over."""
    wanted = _decision(decision)
    if actor.sees_only is not None:
        async with runtime.database.connection() as conn:
            call = [*await list_owned_calls(conn, call, owner_id=actor.sees_only)]
    decided = await dialing_moves.decide_all(runtime, call, wanted, launching, actor=actor.name)
    who = "1 contact is" if decided == 1 else f"{decided} contacts are"
    what = "due again" if wanted is Decision.REDIAL else "left as they are"
    return answer(await _left(runtime, actor, page), await _account(runtime, actor), toast(f"{who} {what}."))


@router.post("/system/unsure/{call_id}/{decision}")
async def decide(
    call_id: str, decision: str, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep, page: PageForm = ""
) -> Response:
    """Dial a contact again, leave it, or take that back."""
    known_id, wanted = call_id_of(call_id), _decision(decision)
    await dialing_moves.decide(runtime, known_id, wanted, launching, actor=actor.name)
    undo = f"/system/unsure/{known_id}/{Decision.REOPEN}" if wanted is Decision.LEAVE else None
    said = toast(await decided_sentence(runtime, known_id, wanted), undo=undo)
    return answer(await _left(runtime, actor, page), await _account(runtime, actor), said)


async def _left(runtime: Runtime, actor: Actor, number: str) -> str:
    """Return who still waits for a decision."""
    values = await unsure_values(runtime, Wish.of(unsure=number), owner_id=actor.sees_only)
    return fragment("system_unsure_part.html", **values)


def _decision(text: str) -> Decision:
    try:
        return Decision(text)
    except ValueError:
        raise NotFound("A contact can be dialled again or left, and nothing else.") from None


async def _stands(runtime: Runtime, actor: Actor, lines: PhoneLines, sentence: str) -> Response:
    return answer(await state_part(runtime, lines, may_hold=True), await _account(runtime, actor), toast(sentence))


async def _account(runtime: Runtime, actor: Actor) -> str:
    """Return the account's banner and figures as they are now."""
    async with runtime.database.connection() as conn:
        seen = await feed.look_at_account(conn)
    account = account_view(seen, runtime.settings.pacing, runtime.clock.now())
    return account_part(account, sees_all=actor.sees_only is None)


def _reason(text: str) -> str:
    reason = " ".join(text.split()) or DEFAULT_REASON
    problem = unstorable(reason)
    if problem:
        raise ValidationProblem(f"The reason cannot be kept: {problem}.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise ValidationProblem(f"Give the reason in at most {LONGEST_REASON} characters.", field="reason")
    return reason


def _held_sentence(hung_up: int, *, hangs_up: bool) -> str:
    if not hangs_up:
        return "Dialling is held. Live calls go on to their end."
    asked = "1 live call was" if hung_up == 1 else f"{hung_up} live calls were"
    return f"Dialling is held. {asked} asked to end; those that still ring are, as soon as they connect."


def _ticked_sentence(ticked: Ticked) -> str:
    launched = sum(ticked.launched.values())
    if launched:
        return f"The tick is done: {launched} {'call was' if launched == 1 else 'calls were'} placed."
    return "The tick is done: there was nothing to place."
