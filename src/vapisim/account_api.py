"""Routes about assistants and phone numbers."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vapisim import dto
from vapisim.answers import as_json, read_json
from vapisim.listing import ListQuery
from vapisim.refusals import Refused
from vapisim.town import ORG_ID
from vapisim.validation import is_uuid, parse_iso, violations
from vapisim.wire import iso
from vapisim.world import World

PAGE = 100


async def create_assistant(world: World, request: Request) -> Response:
    """POST /assistant. Names need not be unique."""
    body = await read_json(request)
    _check(body)
    world.state.issued["assistant"] += 1
    assistant_id = world.state.new_id("assistant", world.state.issued["assistant"])
    now = iso(time.time())
    row = {
        "id": assistant_id,
        "orgId": ORG_ID,
        "createdAt": now,
        "updatedAt": now,
        "latestVersion": "v1",
        **body,
    }
    world.state.assistants[assistant_id] = row
    return as_json(row, 201)


async def list_assistants(world: World, request: Request) -> Response:
    """GET /assistant: a bare array, newest first."""
    return as_json(_rows(world.state.assistants, request))


async def show_assistant(world: World, request: Request) -> Response:
    """GET /assistant/{id}."""
    return as_json(_assistant(world, request))


async def change_assistant(world: World, request: Request) -> Response:
    """PATCH /assistant/{id}: a key that is sent replaces the whole key, so half a model loses its prompt."""
    row, body = _assistant(world, request), await read_json(request)
    _check(body)
    version = f"v{int(str(row.get('latestVersion', 'v1'))[1:]) + 1}"
    changed = {**row, **body, "updatedAt": iso(time.time()), "latestVersion": version}
    world.state.assistants[row["id"]] = changed
    return as_json(changed)


async def delete_assistant(world: World, request: Request) -> Response:
    """DELETE /assistant/{id} returns what it deleted."""
    row = _assistant(world, request)
    del world.state.assistants[row["id"]]
    return as_json(row)


async def list_numbers(world: World, request: Request) -> Response:
    """GET /phone-number: a bare array."""
    return as_json(_rows(_numbers(world), request))


async def show_number(world: World, request: Request) -> Response:
    """GET /phone-number/{id}."""
    number_id = request.path_params["number_id"]
    row = _numbers(world).get(number_id)
    if row is None:
        raise _unknown("Phone number", number_id)
    return as_json(row)


async def page_numbers(world: World, request: Request) -> Response:
    """GET /v2/phone-number: in pages."""
    query = request.query_params
    allowed = {"search", "page", "sortOrder", "sortBy", "limit"}
    problems = [f"property {key} should not exist" for key in query if key not in allowed]
    limit, page = query.get("limit", str(PAGE)), query.get("page", "1")
    problems += [
        f"{name} must be a number" for name, value in (("limit", limit), ("page", page)) if not value.isdigit()
    ]
    if problems:
        raise Refused(400, problems, "validation")
    wanted = query.get("search", "").lower()
    rows = [row for row in _numbers(world).values() if wanted in f"{row['number']} {row['name']}".lower()]
    order = query.get("sortOrder", "DESC")
    rows = rows if order == "ASC" else rows[::-1]
    return as_json(_page(rows, limit=max(1, int(limit)), page=max(1, int(page)), order=order))


def _page(rows: list[dict[str, Any]], *, limit: int, page: int, order: str) -> dict[str, Any]:
    pages = -(-len(rows) // limit)
    metadata = {
        "itemsPerPage": limit,
        "totalItems": len(rows),
        "currentPage": page,
        "totalPages": pages,
        "hasNextPage": page < pages,
        "sortOrder": order,
    }
    return {"results": rows[(page - 1) * limit : page * limit], "metadata": metadata}


def _numbers(world: World) -> dict[str, dict[str, Any]]:
    return {number_id: world.state.phone_number(number_id) or {} for number_id in world.state.phone_numbers}


def _rows(table: dict[str, dict[str, Any]], request: Request) -> list[Any]:
    query = ListQuery(request.query_params)
    rows = (
        row
        for row in reversed(list(table.values()))
        if query.admits(created_at=parse_iso(row["createdAt"]) or 0, updated_at=parse_iso(row["updatedAt"]) or 0)
    )
    return query.cut(rows)


def _assistant(world: World, request: Request) -> dict[str, Any]:
    assistant_id = request.path_params["assistant_id"]
    if not is_uuid(assistant_id):
        raise Refused(400, ["id must be a UUID"], "validation")
    row = world.state.assistants.get(assistant_id)
    if row is None:
        raise _unknown("Assistant", assistant_id)
    return row


def _check(body: object) -> None:
    problems = violations(dto.ASSISTANT, body)
    if problems:
        raise Refused(400, problems, "validation")


def _unknown(kind: str, unknown_id: str) -> Refused:
    return Refused(404, f"{kind} with id {unknown_id} not found", "not-found")
