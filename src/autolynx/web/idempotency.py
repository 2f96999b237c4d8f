"""The Idempotency-Key header. A route asks for OnceDep and does its work inside `once.answer`."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse

from autolynx.errors import ValidationProblem
from autolynx.flows.answered_once import Answer, Wish, answer_once
from autolynx.runtime import Runtime
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep

MOST_KEY_CHARACTERS = 255


class Once:
    """Answers one request once. Without the header every request is its own."""

    def __init__(self, runtime: Runtime, *, actor: str, place: str, key: str | None) -> None:
        self._runtime = runtime
        self._actor = actor
        self._place = place
        self._key = key

    async def answer(
        self, asked: Mapping[str, Any], work: Callable[[], Awaitable[BaseModel]], *, status: int
    ) -> JSONResponse:
        """Do the work unless it was done before; its answer is sent with that status.

        `asked` is everything that tells this request from another one, JSON-able (a file: its SHA-256).
        """

        async def answered() -> Answer:
            shape = await work()
            return Answer(status=status, body=shape.model_dump(mode="json", by_alias=True))

        if self._key is None:
            return _response(await answered())
        wish = Wish(actor=self._actor, key=self._key, request_hash=self._hash(asked))
        return _response(await answer_once(self._runtime, wish, answered))

    def _hash(self, asked: Mapping[str, Any]) -> bytes:
        text = json.dumps([self._place, dict(asked)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def get_once(
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Once:
    """Read the header. Raises ValidationProblem unless it is 1 to 255 printable ASCII characters."""
    if key is not None and not (0 < len(key) <= MOST_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise ValidationProblem(
            "Idempotency-Key: use 1 to 255 printable ASCII characters, for example a UUID.", field="Idempotency-Key"
        )
    return Once(runtime, actor=str(actor.id), place=f"{request.method} {request.url.path}", key=key)


OnceDep = Annotated[Once, Depends(get_once)]


def _response(answer: Answer) -> JSONResponse:
    headers = {"Idempotency-Replayed": "true"} if answer.is_repeated else None
    return JSONResponse(answer.body, status_code=answer.status, headers=headers)
