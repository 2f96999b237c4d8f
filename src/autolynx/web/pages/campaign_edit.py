"""Changing a campaign while it goes on: its name, its calls at once, and the options that may be changed live."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Self

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from autolynx.domain.campaign import Campaign
from autolynx.domain.campaign_changes import OptionChanges
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.campaign_edit import Changes, Edited, patch_campaign
from autolynx.runtime import Runtime
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import Seen, look_at
from autolynx.web.pages.fragments import moved
from autolynx.web.pages.new_campaign_form import LONGEST_VALUE, NUMBERS, number_problem
from autolynx.web.pages.refused import NOTHING_REFUSED, Refusal, refusal_of
from autolynx.web.pages.rendering import answer, fragment, toast

# The fields of a flow's refusal, as this form calls them.
_FIELDS = {"name": "name", "cap": "cap"}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it was typed, nonsense included. Switches are "on" or empty; `options` says that they were shown."""

    name: str = ""
    cap: str = ""
    attempts: str = ""
    minutes: str = ""
    watch: str = ""
    quiet: str = ""
    options: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read a form."""
        named = [one.name for one in fields(cls)]
        return cls(**{name: str(values[name])[:LONGEST_VALUE] for name in named if name in values})

    def problems(self) -> dict[str, str]:
        """Return what cannot be, by field, in sentences."""
        asked = ("cap", "attempts", "minutes") if self.options else ("cap",)
        found = {key: number_problem(getattr(self, key), key, is_required=True) for key in asked}
        return {key: sentence for key, sentence in found.items() if sentence}

    def changes(self, campaign: Campaign) -> Changes:
        """Return what is to be changed; the caller has looked at `problems`. What was left as it is is no change."""
        return Changes(name=self.name, cap=int(self.cap), options=self._options(campaign))

    def _options(self, campaign: Campaign) -> OptionChanges:
        if not self.options:
            return OptionChanges()
        before = campaign.options
        quiet, watch = self.quiet == "on", self.watch == "on"
        attempts, minutes = int(self.attempts), int(self.minutes)
        return OptionChanges(
            line_quiet=quiet if quiet != before.line_quiet else None,
            pauses_on_failures=watch if watch != before.pauses_on_failures else None,
            max_attempts=attempts if attempts != before.max_attempts else None,
            retry_after_minutes=minutes if minutes != before.retry_after_minutes else None,
        )


def typed_of(campaign: Campaign) -> Typed:
    """Return the form of a campaign as it is."""
    options = campaign.options
    return Typed(
        name=campaign.name,
        cap=str(campaign.cap),
        attempts=str(options.max_attempts),
        minutes=str(options.retry_after_minutes),
        watch="on" if options.pauses_on_failures else "",
        quiet="on" if options.line_quiet else "",
    )


@router.get("/campaigns/{campaign_id}/edit")
async def ask_for_changes(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Show what may be changed now, as it is."""
    seen = await look_at(runtime, campaign_id_of(campaign_id))
    return _form(seen, typed_of(seen.report.campaign))


@router.post("/campaigns/{campaign_id}/edit")
async def change(
    campaign_id: str, request: Request, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep
) -> Response:
    """Change it; what is refused stays in the form, with the sentence beside its field."""
    typed = Typed.of(dict(await request.form()))
    known_id = campaign_id_of(campaign_id)
    seen = await look_at(runtime, known_id)
    if problems := typed.problems():
        return _form(seen, typed, refused=Refusal(problems=problems), status=400)
    try:
        edited = await patch_campaign(runtime, known_id, typed.changes(seen.report.campaign), actor=actor.name)
    except (ValidationProblem, Conflict) as problem:
        status = 400 if isinstance(problem, ValidationProblem) else 409
        return _form(seen, typed, refused=refusal_of(problem, _FIELDS, otherwise="form"), status=status)
    return await _answer(runtime, edited, launching, toast(_said(edited)))


@router.post("/campaigns/{campaign_id}/cap")
async def change_cap(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    *,
    cap: Annotated[str, Form()] = "",
) -> Response:
    """Call more or fewer at once, from now on."""
    if problem := number_problem(cap, "cap", is_required=True):
        raise ValidationProblem(f"Calls at once: {problem}", field="cap")
    edited = await patch_campaign(runtime, campaign_id_of(campaign_id), Changes(cap=int(cap)), actor=actor.name)
    return await _answer(runtime, edited, launching)


def _form(seen: Seen, typed: Typed, *, refused: Refusal = NOTHING_REFUSED, status: int = 200) -> Response:
    html = fragment(
        "edit_dialog.html",
        view=seen.view,
        typed=typed,
        limits=NUMBERS,
        may_change_options=not seen.report.campaign.status.is_terminal,
        problems=refused.problems,
        suggestion=refused.suggestion,
    )
    return answer(html, status=status)


def _said(edited: Edited) -> str:
    if edited.before.cap != edited.after.cap:
        return f"Saved. Up to {edited.after.cap} calls at once from now on."
    return "Saved."


async def _answer(runtime: Runtime, edited: Edited, launching: LaunchingDep, *said: str) -> Response:
    """Put further lines to use, and show the campaign as it is now."""
    if edited.has_more_room and edited.after.status.is_running:
        await launching.work_added()
    return answer(moved((await look_at(runtime, edited.after.id)).view), *said)
