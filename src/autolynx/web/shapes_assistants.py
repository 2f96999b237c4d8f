"""Versions, drift and test calls of assistants, as the API shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from autolynx.domain.assistant_version import VersionAction
from autolynx.domain.campaign import CampaignStatus
from autolynx.domain.config_diff import Change
from autolynx.flows.assistant_drift import Drift, Side
from autolynx.flows.assistant_versions import Compared, ListedVersion
from autolynx.flows.test_call import DEFAULT_BUSINESS_NAME, DEFAULT_NAME
from autolynx.web.shapes import Input, Pagination, Shape

NOT_SET = "Null where nothing is set."


class LineShape(Shape):
    """A line of a long text: `sign` is + (only after), - (only before), a space (both) or an ellipsis (left out)."""

    sign: str
    text: str


class ChangeShape(Shape):
    """What differs at one path of the configuration; `name` is a path too."""

    path: str
    before: Annotated[Any, Field(description=NOT_SET)]
    after: Annotated[Any, Field(description=NOT_SET)]
    lines: list[LineShape]

    @classmethod
    def of(cls, change: Change) -> "ChangeShape":
        """Show a change."""
        lines = [LineShape(sign=line.sign, text=line.text) for line in change.lines]
        return cls(path=change.path, before=change.before, after=change.after, lines=lines)


class VersionItem(Shape):
    """A version in a list; `changed` are the paths that differ from the version before it."""

    number: int
    at: datetime
    actor: Annotated[str, Field(description="Empty where it was not kept.")]
    action: VersionAction
    restored_number: int | None
    name: str
    changed: list[str]
    is_latest: bool

    @classmethod
    def of(cls, listed: ListedVersion) -> "VersionItem":
        """Show a version of a list."""
        version = listed.version
        return cls(
            number=version.number,
            at=version.at,
            actor=version.actor,
            action=version.action,
            restored_number=version.restored_number,
            name=version.name,
            changed=list(listed.changed),
            is_latest=listed.is_latest,
        )


class VersionPage(Shape):
    """A page of versions, the latest first."""

    versions: list[VersionItem]
    pagination: Pagination


class VersionShown(Shape):
    """A version in full, and what differs from version `against` (null where there is none before it)."""

    number: int
    at: datetime
    actor: str
    action: VersionAction
    restored_number: int | None
    name: str
    config: dict[str, Any]
    is_latest: bool
    against: int | None
    changes: list[ChangeShape]

    @classmethod
    def of(cls, compared: Compared) -> "VersionShown":
        """Show a version with its differences."""
        version = compared.version
        return cls(
            number=version.number,
            at=version.at,
            actor=version.actor,
            action=version.action,
            restored_number=version.restored_number,
            name=version.name,
            config=dict(version.config),
            is_latest=version.number == compared.latest,
            against=compared.against,
            changes=[ChangeShape.of(change) for change in compared.changes],
        )


class DriftShown(Shape):
    """How ours (`before`) and the provider's (`after`) differ at this moment."""

    is_gone: Annotated[bool, Field(description="The provider has no such assistant any more.")]
    message: str
    changes: list[ChangeShape]
    provider_updated_at: datetime | None

    @classmethod
    def of(cls, drift: Drift) -> "DriftShown":
        """Show a drift."""
        return cls(
            is_gone=drift.is_gone,
            message=drift.sentence,
            changes=[ChangeShape.of(change) for change in drift.changes],
            provider_updated_at=drift.provider_updated_at,
        )


class DriftChoice(Input):
    """Whose side is taken: `ours` is written to the provider, `theirs` into the directory."""

    take: Side


class TestCallInput(Input):
    """Whom to call. `name` and `businessName` are what the assistant takes the person for."""

    __test__ = False

    phone: Annotated[str, Field(min_length=1, max_length=200, description="Judged by the rules of `region`.")]
    region: Annotated[str | None, Field(description="Two letters of a country; DEFAULT_REGION without it.")] = None
    name: str = DEFAULT_NAME
    business_name: str = DEFAULT_BUSINESS_NAME
    phone_number_id: str | None = None


class TestCallAnswer(Shape):
    """A test call that was queued: a campaign of one contact, to be followed like any other."""

    __test__ = False

    campaign_id: UUID
    name: str
    status: CampaignStatus
    message: str
