"""The directory of assistants: searched, filtered, 25 to a page; each is switched on and off in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.domain.actor import Actor
from autolynx.domain.assistant import AssistantSource
from autolynx.domain.permission import Permission
from autolynx.errors import NotFound
from autolynx.flows.assistants import edit_assistant
from autolynx.runtime import Runtime
from autolynx.store import directory
from autolynx.store.directory import DirectoryFilter, DirectoryRow
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.assistant_view import AssistantView, assistant_view
from autolynx.web.pages.paging import Paging, page_number
from autolynx.web.pages.rendering import answer, fragment, page, toast
from autolynx.web.readers import read_id

ROWS = 25
MOST_SEARCH_CHARACTERS = 100
_S = AssistantSource
# What an operator filters by, in the order of the buttons: key, word, what the read model is asked for.
STATES: dict[str, tuple[str, DirectoryFilter]] = {
    "": ("All", DirectoryFilter(has_templates=False)),
    "active": ("Active", DirectoryFilter(active=True, has_templates=False)),
    "inactive": ("Inactive", DirectoryFilter(active=False, has_templates=False)),
    "templates": ("Templates", DirectoryFilter(source=_S.TEMPLATE)),
}
SOURCES: dict[str, tuple[str, AssistantSource | None]] = {
    "": ("Anywhere", None),
    "here": ("Made here", _S.LOCAL),
    "imported": ("Imported", _S.IMPORTED),
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to see; nonsense in the address falls back to the ordinary list."""

    search: str
    state: str
    source: str
    page: int

    @classmethod
    def of(cls, *, q: str, state: str, source: str, page: str) -> "Wish":
        """Read the address."""
        return cls(
            search=q.strip().replace("\x00", "")[:MOST_SEARCH_CHARACTERS],
            state=state if state in STATES else "",
            source=source if source in SOURCES else "",
            page=page_number(page),
        )

    @property
    def is_ordinary(self) -> bool:
        """Whether nothing was asked for but the list."""
        return not (self.search or self.state or self.source or self.page > 1)

    @property
    def chosen(self) -> DirectoryFilter:
        """What the read model is asked for."""
        base, source = STATES[self.state][1], SOURCES[self.source][1]
        return DirectoryFilter(
            q=self.search or None,
            active=base.active,
            source=base.source or source,
            has_templates=base.has_templates,
        )

    def address(self, **changed: Any) -> str:
        """Return the address of this list with something changed; what is ordinary is left out."""
        values = {"q": self.search, "state": self.state, "source": self.source, "page": 1, **changed}
        said = {key: value for key, value in values.items() if value not in {"", 1}}
        return "/assistants?" + urlencode(said) if said else "/assistants"


@router.get("/assistants")
async def show_directory(
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
    q: str = "",
    state: str = "",
    source: str = "",
    number: Annotated[str, Query(alias="page")] = "",
) -> Response:
    """Show the directory."""
    wish = Wish.of(q=q, state=state, source=source, page=number)
    views, total = await _views(runtime, wish, actor)
    templates = await list_templates(runtime, actor) if not views and wish.is_ordinary else []
    return await page(
        request,
        "assistants.html",
        section="assistants",
        views=views,
        templates=templates,
        wish=wish,
        states=STATES,
        sources=SOURCES,
        paging=Paging.of(page=wish.page, size=ROWS, total=total, address=lambda number: wish.address(page=number)),
    )


async def list_templates(runtime: Runtime, actor: Actor) -> list[AssistantView]:
    """Return the templates, by name."""
    async with runtime.database.connection() as conn:
        found = await directory.list_page(conn, STATES["templates"][1], owner_id=actor.sees_only, most=ROWS, skip=0)
    return _shown(found, actor)


@router.post("/assistants/{assistant_id}/activate")
async def activate(assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Let an assistant be chosen for campaigns."""
    return await _switch(runtime, assistant_id, is_active=True, actor=actor)


@router.post("/assistants/{assistant_id}/deactivate")
async def deactivate(assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Let an assistant be chosen no more; campaigns that have it go on."""
    return await _switch(runtime, assistant_id, is_active=False, actor=actor)


def assistant_id_of(text: str) -> UUID:
    """Return the id in an address. Raises NotFound for what is none."""
    known = read_id(text)
    if known is None:
        raise NotFound("There is no assistant of that id. It may have been deleted.")
    return known


async def look_at(runtime: Runtime, assistant_id: UUID, actor: Actor) -> AssistantView:
    """Return an assistant as it is now, with its use in what the caller sees. Raises NotFound."""
    async with runtime.database.connection() as conn:
        row = await directory.get(conn, assistant_id, owner_id=actor.sees_only)
    return _shown([row], actor)[0]


async def _switch(runtime: Runtime, assistant_id: str, *, is_active: bool, actor: Actor) -> Response:
    switched = await edit_assistant(runtime, assistant_id_of(assistant_id), active=is_active, actor=actor.name)
    view = await look_at(runtime, switched.id, actor)
    said = "can be chosen for campaigns" if is_active else "cannot be chosen for new campaigns; those with it go on"
    undo = f"{view.address}/{'deactivate' if is_active else 'activate'}"
    return answer(fragment("assistant_part.html", view=view), toast(f"{view.name} {said}.", undo=undo))


async def _views(runtime: Runtime, wish: Wish, actor: Actor) -> tuple[list[AssistantView], int]:
    async with runtime.database.connection() as conn:
        total = await directory.count(conn, wish.chosen)
        found = await directory.list_page(
            conn, wish.chosen, owner_id=actor.sees_only, most=ROWS, skip=(wish.page - 1) * ROWS
        )
    return _shown(found, actor), total


def _shown(rows: Sequence[DirectoryRow], actor: Actor) -> list[AssistantView]:
    may_write = actor.may(Permission.ASSISTANTS_WRITE)
    return [assistant_view(row, may_write=may_write) for row in rows]
