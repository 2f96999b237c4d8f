"""Versions of an assistant: what changed from one to the next, and going back to one."""

from dataclasses import dataclass, replace
from uuid import UUID

from autolynx.domain.assistant import Assistant, check_config, provider_id_of
from autolynx.domain.assistant_version import Version, VersionAction
from autolynx.domain.config_diff import Change, changed_paths, differences, named
from autolynx.flows.assistant_keeping import Deed, config_of, save_edit
from autolynx.flows.assistant_names import require_free
from autolynx.runtime import Runtime
from autolynx.store import assistant_versions, assistants


@dataclass(frozen=True, kw_only=True)
class ListedVersion:
    """A version in a list: `changed` are the paths that differ from the version before, `is_first` has none before."""

    version: Version
    changed: tuple[str, ...]
    is_first: bool
    is_latest: bool


@dataclass(frozen=True, kw_only=True)
class VersionList:
    """A page of versions, the latest first; `total` over all pages."""

    versions: tuple[ListedVersion, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A version, and what differs from another: the one before unless told otherwise, None where there is none."""

    version: Version
    against: int | None
    changes: tuple[Change, ...]
    latest: int


async def list_versions(runtime: Runtime, assistant_id: UUID, *, page: int = 1, limit: int = 20) -> VersionList:
    """Return a page of the versions of an assistant, each with what changed. Raises NotFound."""
    skip = (page - 1) * limit
    async with runtime.database.connection() as conn:
        await assistants.get(conn, assistant_id)
        total = await assistant_versions.count(conn, assistant_id)
        found = await assistant_versions.list_page(conn, assistant_id, most=limit + 1, skip=skip)
    before: list[Version | None] = [*found[1:], None][: len(found)]
    listed = [
        ListedVersion(
            version=version,
            changed=changed_paths(_whole(older), _whole(version)) if older else (),
            is_first=version.number == 1,
            is_latest=skip == 0 and version is found[0],
        )
        for version, older in zip(found, before, strict=True)
    ]
    return VersionList(versions=tuple(listed[:limit]), total=total)


async def compare_version(runtime: Runtime, assistant_id: UUID, number: int, *, against: int | None = None) -> Compared:
    """Return a version and what differs from another one, the version before it by default. Raises NotFound."""
    async with runtime.database.connection() as conn:
        await assistants.get(conn, assistant_id)
        version = await assistant_versions.get(conn, assistant_id, number)
        latest = await assistant_versions.find_latest(conn, assistant_id)
        chosen = against if against is not None else (number - 1 or None)
        other = await assistant_versions.get(conn, assistant_id, chosen) if chosen is not None else None
    changes = differences(_whole(other), _whole(version)) if other else ()
    return Compared(version=version, against=chosen, changes=changes, latest=latest.number if latest else number)


async def restore_version(runtime: Runtime, assistant_id: UUID, number: int, *, actor: str) -> Assistant:
    """Make an assistant what it was in that version, at the provider first; what the version lacks is unset.

    It leaves a version of its own. Raises NotFound, ProviderError (ours is then unchanged), and Conflict for a
    template or, with a free `suggestion`, where another assistant bears the version's name now.
    """
    async with runtime.database.connection() as conn:
        before = await assistants.get(conn, assistant_id)
        provider_id = provider_id_of(before, verb="restored")
        version = await assistant_versions.get(conn, assistant_id, number)
    check_config(version.config)
    if version.name != before.name:
        await require_free(runtime, version.name, except_id=assistant_id)
    remote = await runtime.provider.replace_assistant(provider_id, name=version.name, config=version.config)
    deed = Deed(actor=actor, action=VersionAction.RESTORED, restored_number=number)
    return await save_edit(runtime, replace(before, name=version.name, config=config_of(remote)), deed)


def _whole(version: Version) -> dict[str, object]:
    return named(version.name, version.config)
