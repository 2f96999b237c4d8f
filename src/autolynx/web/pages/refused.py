"""What a form says of a refusal: the sentence beside its field, and the name that is free where one was taken."""

from collections.abc import Mapping
from dataclasses import dataclass

from autolynx.errors import AutolynxError


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What was refused, by field of the form, and a free name."""

    problems: Mapping[str, str]
    suggestion: str | None = None


NOTHING_REFUSED = Refusal(problems={})


def refusal_of(error: AutolynxError, fields: Mapping[str, str], *, otherwise: str) -> Refusal:
    """Return a flow's refusal as people read it; `fields` maps its words to the form's, `otherwise` bears the rest."""
    field, suggestion = fields.get(_field_of(error), otherwise), error.details.get("suggestion")
    return Refusal(problems={field: sentence_of(error)}, suggestion=suggestion)


def sentence_of(error: AutolynxError) -> str:
    """Return a flow's refusal as it stands beside its field: without the field's name."""
    word, _, rest = error.message.partition(": ")
    sentence = rest if rest and word == _field_of(error) else error.message
    return sentence[:1].upper() + sentence[1:]


def _field_of(error: AutolynxError) -> str:
    return str(getattr(error, "field", None) or error.details.get("field") or error.message.partition(": ")[0])
