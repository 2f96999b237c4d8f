"""The own account: password, sessions, API tokens."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from autolynx.domain.actor import Actor
from autolynx.domain.permission import OF_ROLE, OF_SCOPE, Scope
from autolynx.errors import Forbidden, NotFound, Unauthorized, ValidationProblem
from autolynx.flows import access, people
from autolynx.flows.sessions import end_others
from autolynx.flows.sign_in import change_password
from autolynx.flows.vouching import end_elsewhere
from autolynx.identity.local import LEAST_CHARACTERS
from autolynx.runtime import Runtime
from autolynx.web.api.tokens import owner_of_tokens
from autolynx.web.auth import SESSION_COOKIE, CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.rendering import answer, fragment, page, toast

NOT_TOLD = "You are signed out of AutoLynx elsewhere, but Supabase could not be told. Try again shortly."
SCOPES = {
    Scope.ALL: "Everything that you may do",
    Scope.READ: "Read campaigns, assistants and figures",
    Scope.CALL: "Read, and run campaigns",
    Scope.EXPORT: "Read and export results",
    Scope.ASSISTANTS: "Read and edit assistants",
    Scope.METRICS: "Read the metrics of the machine",
}

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def show_account(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show the own account."""
    values: dict[str, Any] = {"least": LEAST_CHARACTERS, "has_password": await _has_password(runtime, actor)}
    values["keeps_passwords"] = runtime.identity is None
    return await page(request, "account.html", section="account", **values, **await _tokens(runtime, actor))


@router.post("/account/password")
async def set_password(
    runtime: RuntimeDep,
    actor: CallerDep,
    current: Annotated[str, Form(max_length=500)] = "",
    password: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Set or change the own password; the other sessions end."""
    problem = None
    try:
        await change_password(runtime, _person(actor), current=current, new=password, session_id=actor.id)
    except (Unauthorized, ValidationProblem) as error:
        field, _, sentence = error.message.partition(": ")
        problem = {field: sentence[:1].upper() + sentence[1:]}
    form = fragment(
        "account_password.html",
        least=LEAST_CHARACTERS,
        has_password=await _has_password(runtime, actor),
        problems=problem or {},
    )
    if problem:
        return answer(form, status=400)
    return answer(form, toast("Your password is set. Your other sessions have ended."))


@router.post("/account/sign-out-elsewhere")
async def sign_out_elsewhere(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """End the own sessions everywhere but here, at the identity server too."""
    ended = await end_others(runtime, _person(actor), but=actor.id, actor=actor.name)
    if actor.is_browser and not await end_elsewhere(runtime, request.cookies[SESSION_COOKIE]):
        return answer(toast(NOT_TOLD, tone="bad"))
    return answer(toast("You were signed in nowhere else." if not ended else f"Signed out elsewhere ({ended} ended)."))


@router.post("/account/tokens")
async def create_token(
    runtime: RuntimeDep,
    actor: CallerDep,
    name: Annotated[str, Form(max_length=300)] = "",
    scope: Annotated[Scope, Form()] = Scope.READ,
) -> Response:
    """Make a token and show it, this once."""
    person = await people.get_person(runtime, _person(actor))
    try:
        made = await access.create_token(runtime, name, scopes=[scope], person=person, actor=actor.name)
    except (ValidationProblem, Forbidden) as error:
        problem = error.message.partition(": ")[2]
        values = {"name": name, "scope": scope, "problem": problem[:1].upper() + problem[1:]}
        return answer(fragment("account_tokens.html", **await _tokens(runtime, actor), **values), status=400)
    return answer(fragment("account_tokens.html", **await _tokens(runtime, actor), secret=made.secret))


@router.post("/account/tokens/{token_id}/revoke")
async def revoke_token(token_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Revoke a token, at once."""
    try:
        known_id = UUID(token_id)
    except ValueError:
        raise NotFound("There is no token of that id.") from None
    await access.revoke(runtime, known_id, owner_id=owner_of_tokens(actor), actor=actor.name)
    tokens = fragment("account_tokens.html", **await _tokens(runtime, actor))
    return answer(tokens, toast("The token does not open anything any more."))


async def _tokens(runtime: Runtime, actor: Actor) -> dict[str, Any]:
    scopes = {scope: word for scope, word in SCOPES.items() if OF_SCOPE[scope] & OF_ROLE[actor.role]}
    return {
        "holders": await access.list_tokens(runtime, owner_id=owner_of_tokens(actor)),
        "scopes": scopes,
        "own_id": actor.user_id,
    }


async def _has_password(runtime: Runtime, actor: Actor) -> bool:
    return actor.user_id is not None and await people.has_password(runtime, actor.user_id)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise Forbidden("This token belongs to nobody: sign in as a person.")
    return actor.user_id
