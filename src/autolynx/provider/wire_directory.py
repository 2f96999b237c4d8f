"""Reading and merging what the account has: assistants and phone numbers, without their secrets."""

from collections.abc import Mapping
from typing import Any

from autolynx.provider.port import RemoteAssistant, RemoteNumber
from autolynx.provider.scrub import is_secret_key, without_secrets
from autolynx.provider.wire_values import as_moment, as_object, as_text, as_word

FREE_PROVIDER = "vapi"  # numbers that the provider issues itself
READ_ONLY = frozenset(
    {"id", "orgId", "createdAt", "updatedAt", "latestVersion", "modelDeprecations", "isServerUrlSecretSet"}
)


def read_assistant(value: Any) -> RemoteAssistant | None:
    """Return an assistant; None where it bears no id. Its config is without secrets and read-only keys."""
    assistant = as_object(value)
    assistant_id = as_word(assistant.get("id"))
    if assistant_id is None:
        return None
    return RemoteAssistant(
        provider_assistant_id=assistant_id,
        name=as_text(assistant.get("name")) or "",
        config=without_secrets(
            {key: item for key, item in assistant.items() if key not in READ_ONLY and item is not None}
        ),
        updated_at=as_moment(assistant.get("updatedAt")),
    )


def read_number(value: Any) -> RemoteNumber | None:
    """Return a phone number object; None where it bears no id. Only what is named here is taken over."""
    number = as_object(value)
    phone_number_id = as_word(number.get("id"))
    if phone_number_id is None:
        return None
    provider = as_word(number.get("provider")) or ""
    return RemoteNumber(
        phone_number_id=phone_number_id,
        number=as_word(number.get("number")),
        name=as_text(number.get("name")),
        provider=provider,
        status=as_word(number.get("status")) or "active",
        is_free=provider == FREE_PROVIDER,
    )


def writable(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the keys that the provider refuses to be sent."""
    return {key: value for key, value in config.items() if key not in READ_ONLY}


def merged_keys(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the top-level keys to write, whole: ours merged into what the provider has.

    The provider replaces top-level keys wholesale, so that a model sent with a new temperature alone would
    lose its prompt. Objects are merged key by key, lists and values are replaced; null unsets, which inside an
    object means that it is not sent again. Keys that stay as they are are not sent.
    """
    wanted = {key: merge_into(current.get(key), value) for key, value in writable(changes).items()}
    return {key: value for key, value in wanted.items() if key not in current or current[key] != value}


def merge_into(theirs: Any, ours: Any) -> Any:
    """Return ours merged into theirs. What we saw without its secrets and did not change stays theirs."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        kept = {key: value for key, value in theirs.items() if key not in ours}
        return kept | {key: merge_into(theirs.get(key), value) for key, value in ours.items() if value is not None}
    return theirs if theirs is not None and without_secrets(theirs) == ours else ours


def whole_keys(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the top-level keys to write so that the provider has what is wanted and nothing else; null unsets a key.

    Secrets stay where what holds them stays: we never saw them and cannot send them again.
    """
    ours = {
        key: _with_secrets_of(current.get(key), value) for key, value in writable(wanted).items() if value is not None
    }
    unset = [key for key, value in current.items() if value is not None and key not in ours]
    gone = {key: None for key in unset if key not in READ_ONLY and not is_secret_key(key)}
    return gone | {key: value for key, value in ours.items() if key not in current or current[key] != value}


def _with_secrets_of(theirs: Any, ours: Any) -> Any:
    """Return ours with the secrets that theirs has in the same places."""
    if without_secrets(theirs) == ours:
        return theirs
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        secrets = {key: value for key, value in theirs.items() if is_secret_key(key)}
        kept = {key: _with_secrets_of(theirs.get(key), value) for key, value in ours.items() if value is not None}
        return secrets | kept
    if isinstance(theirs, list) and isinstance(ours, list):
        return [next((item for item in theirs if without_secrets(item) == one), one) for one in ours]
    return ours
