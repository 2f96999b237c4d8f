"""People: who may come in, as what, when they were last here. Only for admins."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from autolynx.domain.permission import Role
from autolynx.errors import Conflict, NotFound, ValidationProblem
from autolynx.flows import people
from autolynx.flows.sessions import end_others, issue_ticket
from autolynx.flows.sign_in import link_to
from autolynx.runtime import Runtime
from autolynx.store.people import Person
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.refused import sentence_of
from autolynx.web.pages.rendering import answer, fragment, page, toast
from autolynx.web.readers import read_id

ROLES = {Role.OPERATOR: "Operator: own campaigns", Role.ADMIN: "Admin: everything"}

router = APIRouter(include_in_schema=False)


@router.get("/people")
async def show_people(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show the list."""
    return await page(request, "people.html", section="people", **await _values(runtime, actor.user_id))


@router.get("/people/add")
async def ask(email: str = "") -> Response:
    """Show the form of a new person."""
    return _dialog(email=email)


@router.post("/people/add")
async def add(
    runtime: RuntimeDep,
    actor: CallerDep,
    email: Annotated[str, Form(max_length=300)] = "",
    name: Annotated[str, Form(max_length=300)] = "",
    role: Annotated[Role, Form()] = Role.OPERATOR,
) -> Response:
    """Put somebody on the list, and show the link that signs them in."""
    try:
        person = await people.add_person(runtime, email, role=role, name=name, actor=actor.name)
    except (Conflict, ValidationProblem) as error:
        return _dialog(email=email, name=name, role=role, problem=sentence_of(error), status=400)
    link = await _link(runtime, person, actor=actor.name) if runtime.identity is None else None
    entrance = f"{runtime.settings.public_url}/sign-in"
    dialog = fragment("person_link_dialog.html", person=person, link=link, entrance=entrance, is_new=True)
    return answer(dialog, fragment("people_part.html", **await _values(runtime, actor.user_id)))


@router.post("/people/{user_id}/link")
async def make_link(user_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Make a link that signs somebody in once, to be handed over. Raises Conflict where accounts are kept outside."""
    if runtime.identity is not None:
        raise Conflict("People sign in with their accounts at Supabase; the terminal alone makes links here.")
    person = await people.get_person(runtime, user_id_of(user_id))
    link = await _link(runtime, person, actor=actor.name)
    return answer(fragment("person_link_dialog.html", person=person, link=link, is_new=False))


@router.post("/people/{user_id}/role")
async def change_role(user_id: str, runtime: RuntimeDep, actor: CallerDep, role: Annotated[Role, Form()]) -> Response:
    """Make somebody an admin or an operator; a refusal puts the choice back."""
    try:
        person = await people.change_person(runtime, user_id_of(user_id), role=role, actor=actor.name)
        said = toast(f"{person.email} is {'an admin' if role is Role.ADMIN else 'an operator'} now.")
        is_reset = False
    except Conflict as error:
        said = toast(error.message, tone="bad")
        is_reset = True  # a morph would leave what was chosen
    return answer(fragment("people_part.html", is_reset=is_reset, **await _values(runtime, actor.user_id)), said)


@router.post("/people/{user_id}/sign-out")
async def sign_out(user_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """End somebody's sessions everywhere."""
    person = await people.get_person(runtime, user_id_of(user_id))
    ended = await end_others(runtime, person.id, but=actor.id, actor=actor.name)
    return answer(toast(f"{person.email} is signed out everywhere ({ended} ended)."))


@router.get("/people/{user_id}/remove")
async def ask_to_remove(user_id: str, runtime: RuntimeDep) -> Response:
    """Show what removing means."""
    return answer(fragment("person_remove_dialog.html", person=await people.get_person(runtime, user_id_of(user_id))))


@router.post("/people/{user_id}/remove")
async def remove(user_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Take somebody off the list."""
    person = await people.get_person(runtime, user_id_of(user_id))
    await people.remove_person(runtime, person.id, actor=actor.name)
    if person.id == actor.user_id:
        return answer(HX_Redirect="/sign-in")
    said = toast(f"{person.email} may not come in any more.")
    return answer(fragment("people_part.html", **await _values(runtime, actor.user_id)), said)


def user_id_of(text: str) -> UUID:
    """Return the id in an address. Raises NotFound for what is none."""
    known = read_id(text)
    if known is None:
        raise NotFound("There is no person of that id.")
    return known


async def _values(runtime: Runtime, own_id: UUID | None) -> dict[str, Any]:
    known = await people.list_people(runtime)
    return {"people": known, "roles": ROLES, "own_id": own_id, "has_links": runtime.identity is None}


async def _link(runtime: Runtime, person: Person, *, actor: str) -> str:
    return link_to(runtime.settings.public_url, await issue_ticket(runtime, person, actor=actor))


def _dialog(
    *, email: str = "", name: str = "", role: Role = Role.OPERATOR, problem: str | None = None, status: int = 200
) -> Response:
    html = fragment("person_dialog.html", email=email, name=name, role=role, roles=ROLES, problem=problem)
    return answer(html, status=status)
