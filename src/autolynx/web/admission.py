"""Who is let in where, by the table of `entries`. An address without a line there does not exist.

The middleware knows who is asking (the guard found out), asks the matrix of `domain.permission` whether they may, and,
where the address names a campaign, a call or an upload, whether it is theirs. What belongs to somebody else is answered
like what does not exist.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from autolynx.domain.actor import Actor
from autolynx.domain.permission import Permission
from autolynx.errors import AutolynxError, Forbidden, NotFound, Unauthorized
from autolynx.flows.audit_trail import note_refusal
from autolynx.store import owners
from autolynx.web.context import get_runtime
from autolynx.web.entries import OPEN
from autolynx.web.problems import error_answer, http_answer, own_path
from autolynx.web.readers import read_id
from autolynx.web.served_assets import PREFIX as ASSETS

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the table, ready to be compared with addresses: `parts` holds None where anything may stand."""

    method: str
    path: str
    wanted: Permission | None
    parts: tuple[str | None, ...]
    names: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, key: str, wanted: Permission | None) -> "Entry":
        """Read a line."""
        method, _, path = key.partition(" ")
        pieces = path.split("/")
        matches = [_PARAMETER.fullmatch(piece) for piece in pieces]
        return cls(
            method=method,
            path=path,
            wanted=wanted,
            parts=tuple(None if match else piece for piece, match in zip(pieces, matches, strict=True)),
            names=tuple((place, match[1]) for place, match in enumerate(matches) if match),
        )

    @property
    def fixed(self) -> tuple[bool, ...]:
        """Sorts the entries that match an address: what is fixed comes first, as the routers have it."""
        return tuple(part is None for part in self.parts)


class Table:
    """The lines, found by address."""

    def __init__(self, entries: Mapping[str, Permission | None]) -> None:
        self._by_length: dict[int, list[Entry]] = {}
        for key, wanted in entries.items():
            entry = Entry.of(key, wanted)
            self._by_length.setdefault(len(entry.parts), []).append(entry)
        for found in self._by_length.values():
            found.sort(key=lambda entry: entry.fixed)

    def find(self, method: str, path: str) -> tuple[Entry | None, frozenset[str]]:
        """Return the line of an address, HEAD being asked like GET, and the methods that the address knows."""
        pieces = path.split("/")
        matching = [
            entry
            for entry in self._by_length.get(len(pieces), ())
            if all(part is None or part == piece for part, piece in zip(entry.parts, pieces, strict=True))
        ]
        if not matching:
            return None, frozenset()
        nearest = [entry for entry in matching if entry.parts == matching[0].parts]
        asked = "GET" if method == "HEAD" else method
        found = next((entry for entry in nearest if entry.method == asked), None)
        return found, frozenset(entry.method for entry in nearest)


class Admission:
    """ASGI middleware inside the guard: nothing that has no line in the table is reached."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a caller through who may come in there."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = own_path(scope)
        if path.startswith(ASSETS):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        table: Table = request.app.state.admission
        entry, methods = table.find(scope["method"], path)
        if entry is None:
            response = http_answer(request, 405 if methods else 404, headers=_allow(methods))
            await response(scope, receive, send)
            return
        try:
            if entry.wanted is not OPEN:
                await _check(request, entry, path)
        except AutolynxError as error:
            response = error_answer(request, error)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _allow(methods: frozenset[str]) -> dict[str, str]:
    return {"Allow": ", ".join(sorted(methods))} if methods else {}


async def _check(connection: HTTPConnection, entry: Entry, path: str) -> None:
    """Raise Unauthorized, Forbidden, or NotFound for what belongs to somebody else."""
    actor = cast("Actor | None", connection.scope.get("state", {}).get("actor"))
    if actor is None or entry.wanted is None:
        raise Unauthorized("Sign in first.")
    if not actor.may(entry.wanted):
        await note_refusal(get_runtime(connection), actor=actor.name, permission=entry.wanted)
        raise Forbidden(_refusal(actor, entry.wanted))
    if actor.sees_only is not None:
        await _check_owner(connection, entry, path, owner_id=actor.sees_only)


async def _check_owner(connection: HTTPConnection, entry: Entry, path: str, *, owner_id: UUID) -> None:
    pieces = path.split("/")
    named = [(name, pieces[place]) for place, name in entry.names]
    for name, text in (*named, *connection.query_params.multi_items()):
        kind, known = owners.OF_PARAMETER.get(name), read_id(text)
        if kind is None or known is None:
            continue  # none of what belongs to anybody, or no id at all: the route says so
        async with get_runtime(connection).database.connection() as conn:
            if not await owners.owns(conn, kind, known, owner_id=owner_id):
                raise NotFound(f"There is no {kind} of that id.")


def _refusal(actor: Actor, wanted: Permission) -> str:
    if actor.is_browser:
        return "Your role does not allow this; an admin can do it, or change your role."
    return f"This token may not do that: it needs {wanted.value}."
