from datetime import UTC, datetime
from typing import Any

import pytest

from autolynx.provider.port import RemoteNumber
from autolynx.provider.wire_directory import merged_keys, read_assistant, read_number, whole_keys

THEIRS: dict[str, Any] = {
    "id": "a-1",
    "orgId": "o",
    "createdAt": "2026-03-02T10:00:00.000Z",
    "updatedAt": "2026-03-02T11:00:00.000Z",
    "name": "Short pitch",
    "model": {
        "provider": "openai",
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}],
        "tools": [{"type": "function", "server": {"url": "https://t.example.test", "headers": {"X-Key": "k"}}}],
    },
    "server": {"url": "https://old.example.test", "secret": "old-secret"},
    "credentials": [{"provider": "openai", "apiKey": "sk-1"}],
}


def test_an_assistant_is_read_without_ids_dates_and_secrets() -> None:
    found = read_assistant(THEIRS)
    assert found is not None
    assert (found.provider_assistant_id, found.name) == ("a-1", "Short pitch")
    assert found.updated_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert found.config.keys() == {"name", "model", "server"}
    assert found.config["server"] == {"url": "https://old.example.test"}
    assert found.config["model"]["tools"][0]["server"] == {"url": "https://t.example.test"}


@pytest.mark.parametrize("value", [None, [], {}, {"id": 3}, "a-1"])
def test_what_bears_no_id_is_neither_an_assistant_nor_a_number(value: Any) -> None:
    assert read_assistant(value) is None
    assert read_number(value) is None


def test_a_number_is_read_by_what_is_wanted_of_it() -> None:
    row = {
        "id": "n-1",
        "provider": "twilio",
        "number": "+14155550100",
        "name": "Main",
        "status": "activating",
        "twilioAuthToken": "t",
    }
    assert read_number(row) == RemoteNumber(
        phone_number_id="n-1",
        number="+14155550100",
        name="Main",
        provider="twilio",
        status="activating",
        is_free=False,
    )


def test_a_number_of_the_providers_own_is_free_and_active_unless_it_says_otherwise() -> None:
    found = read_number({"id": "n-2", "provider": "vapi", "name": None, "number": 5})
    assert found is not None
    assert (found.is_free, found.status, found.number, found.name) == (True, "active", None, None)


def test_a_change_of_one_detail_keeps_the_rest_of_its_key() -> None:
    keys = merged_keys(THEIRS, {"model": {"temperature": 0.3}})
    assert keys == {"model": {**THEIRS["model"], "temperature": 0.3}}


def test_only_what_differs_is_written_and_never_what_is_read_only() -> None:
    assert merged_keys(THEIRS, {"name": "Short pitch", "id": "b", "updatedAt": "now"}) == {}
    assert merged_keys(THEIRS, {"name": "New", "firstMessage": "Hi"}) == {"name": "New", "firstMessage": "Hi"}


def test_lists_are_replaced_and_null_is_sent() -> None:
    prompt = [{"role": "system", "content": "Be kind."}]
    keys = merged_keys(THEIRS, {"model": {"messages": prompt}, "server": None})
    assert keys["model"]["messages"] == prompt
    assert keys["model"]["model"] == "gpt-4o"
    assert keys["server"] is None


def test_writing_back_what_was_read_without_its_secrets_changes_nothing() -> None:
    found = read_assistant(THEIRS)
    assert found is not None
    assert merged_keys(THEIRS, found.config) == {}


def test_a_change_beside_tools_keeps_the_secrets_of_the_tools() -> None:
    found = read_assistant(THEIRS)
    assert found is not None
    edited = {"model": {**found.config["model"], "temperature": 0.1}}
    assert merged_keys(THEIRS, edited)["model"]["tools"] == THEIRS["model"]["tools"]


def test_null_inside_an_object_unsets_and_is_not_sent() -> None:
    keys = merged_keys({"model": {"provider": "openai", "temperature": 1}}, {"model": {"temperature": None}})
    assert keys == {"model": {"provider": "openai"}}


def test_what_is_null_at_the_provider_is_not_read() -> None:
    found = read_assistant({**THEIRS, "voicemailMessage": None})
    assert found is not None
    assert "voicemailMessage" not in found.config


def test_a_replacement_unsets_what_it_lacks_at_every_depth() -> None:
    wanted = {"name": "Short pitch", "model": {"provider": "openai", "model": "gpt-4o"}}
    assert whole_keys(THEIRS, wanted) == {"model": {"provider": "openai", "model": "gpt-4o"}, "server": None}


def test_a_replacement_never_touches_read_only_keys_and_top_level_secrets() -> None:
    keys = whole_keys({**THEIRS, "serverUrlSecret": "s"}, {"name": "New", "id": "other"})
    assert keys == {"name": "New", "model": None, "server": None}


def test_a_replacement_keeps_secrets_where_what_holds_them_stays() -> None:
    found = read_assistant(THEIRS)
    assert found is not None
    assert whole_keys(THEIRS, found.config) == {}
    tool = found.config["model"]["tools"][0]
    wanted = {
        **found.config,
        "model": {**found.config["model"], "tools": [{"type": "endCall"}, tool]},
        "server": {"url": "https://new.example.test"},
    }
    keys = whole_keys(THEIRS, wanted)
    assert keys["model"]["tools"] == [{"type": "endCall"}, THEIRS["model"]["tools"][0]]
    assert keys["server"] == {"url": "https://new.example.test", "secret": "old-secret"}


def test_a_secret_does_not_move_to_another_tool() -> None:
    found = read_assistant(THEIRS)
    assert found is not None
    other = {"type": "function", "server": {"url": "https://other.example.test"}}
    wanted = {**found.config, "model": {**found.config["model"], "tools": [other]}}
    assert whole_keys(THEIRS, wanted)["model"]["tools"] == [other]
