"""What an assistant's configuration may hold, and what the templates are."""

from typing import Any

import pytest

from autolynx.domain.assistant import check_config, merge_config
from autolynx.domain.naming import free_name, tidy_name
from autolynx.domain.templates import TEMPLATES
from autolynx.errors import ValidationProblem

MODEL = {"provider": "openai", "model": "gpt-4o-mini"}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"maxDurationSeconds": 9}, "config.maxDurationSeconds"),
        ({"maxDurationSeconds": 43_201}, "config.maxDurationSeconds"),
        ({"maxDurationSeconds": 60.5}, "config.maxDurationSeconds"),
        ({"maxDurationSeconds": "600"}, "config.maxDurationSeconds"),
        ({"maxDurationSeconds": True}, "config.maxDurationSeconds"),
        ({"silenceTimeoutSeconds": 9}, "config.silenceTimeoutSeconds"),
        ({"silenceTimeoutSeconds": 3601}, "config.silenceTimeoutSeconds"),
        ({"model": "gpt"}, "config.model"),
        ({"model": {"provider": "openai"}}, "config.model.model"),
        ({"model": {"model": "gpt"}}, "config.model.provider"),
        ({"model": {**MODEL, "temperature": 2.1}}, "config.model.temperature"),
        ({"model": {**MODEL, "temperature": -0.1}}, "config.model.temperature"),
        ({"model": {**MODEL, "maxTokens": 49}}, "config.model.maxTokens"),
        ({"model": {**MODEL, "messages": "be kind"}}, "config.model.messages"),
        ({"model": {**MODEL, "messages": [{"content": "x"}]}}, "config.model.messages.0.role"),
        ({"model": {**MODEL, "messages": [{"role": "system", "content": 5}]}}, "config.model.messages.0.content"),
        ({"voice": {"voiceId": "Elliot"}}, "config.voice.provider"),
        ({"voice": {"provider": "vapi", "voiceId": 5}}, "config.voice.voiceId"),
        ({"transcriber": []}, "config.transcriber"),
        ({"firstMessage": 5}, "config.firstMessage"),
        ({"firstMessageMode": "loud"}, "config.firstMessageMode"),
        ({"voicemailMessage": "x" * 1001}, "config.voicemailMessage"),
        ({"endCallMessage": "x" * 1001}, "config.endCallMessage"),
        ({"endCallPhrases": "bye"}, "config.endCallPhrases"),
        ({"endCallPhrases": ["x"]}, "config.endCallPhrases"),
        ({"endCallPhrases": ["x" * 141]}, "config.endCallPhrases"),
        ({"voicemailDetection": "on"}, "config.voicemailDetection"),
        ({"voicemailDetection": {}}, "config.voicemailDetection"),
        (
            {"voicemailDetection": {"provider": "vapi", "beepMaxAwaitSeconds": 31}},
            "config.voicemailDetection.beepMaxAwaitSeconds",
        ),
        ({"artifactPlan": {"recordingEnabled": "yes"}}, "config.artifactPlan.recordingEnabled"),
        ({"name": "Riley"}, "config.name"),
        ({"metadata": {"x": "y" * 300_000}}, "config"),
    ],
)
def test_a_value_that_the_provider_would_refuse_is_refused_by_name(config: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationProblem) as refused:
        check_config(config)
    assert refused.value.field == field
    assert refused.value.message.startswith(f"{field}: ")
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"maxDurationSeconds": 10, "silenceTimeoutSeconds": 3600},
        {"maxDurationSeconds": 43_200, "silenceTimeoutSeconds": 10},
        {"model": {**MODEL, "temperature": 0, "maxTokens": 10_000}},
        {"model": None, "voice": None, "voicemailMessage": None, "endCallPhrases": None},
        {"voicemailDetection": "off", "voicemailMessage": "x" * 1000, "endCallPhrases": ["ok", "x" * 140]},
        {"hooks": [{"on": "call.ending"}], "somethingNew": {"of": "theirs"}},
    ],
)
def test_what_the_provider_takes_passes_and_unknown_keys_are_kept(config: dict[str, Any]) -> None:
    check_config(config)


def test_objects_are_merged_key_by_key_and_lists_as_a_whole() -> None:
    before = {"model": {**MODEL, "messages": [{"role": "system", "content": "a"}]}, "endCallPhrases": ["bye"]}
    merged = merge_config(before, {"model": {"temperature": 1}, "endCallPhrases": ["so long"], "voice": None})
    assert merged == {
        "model": {**MODEL, "messages": [{"role": "system", "content": "a"}], "temperature": 1},
        "endCallPhrases": ["so long"],
        "voice": None,
    }
    assert "temperature" not in before["model"]


def test_every_template_is_valid_says_that_it_is_an_ai_and_speaks_to_the_contact() -> None:
    assert [one.name for one in TEMPLATES] == ["Voicemail-friendly", "Short pitch", "Discovery"]
    for template in TEMPLATES:
        check_config(template.config)
        first = template.config["firstMessage"]
        assert "AI assistant" in first
        assert "{{name}}" in first
        voicemail = template.config["voicemailMessage"]
        assert "AI assistant" in voicemail
        assert "{{business_name}}" in voicemail
        prompt = template.config["model"]["messages"][0]["content"]
        assert "{{name}}" in prompt
        assert "{{business_name}}" in prompt
        assert "will not be called again" in prompt


@pytest.mark.parametrize(
    ("name", "taken", "free"),
    [
        ("Riley", [], "Riley 2"),
        ("Riley", ["riley 2", "RILEY 3"], "Riley 4"),
        ("Riley 7", ["Riley 8"], "Riley 9"),
        ("x" * 40, [], "x" * 38 + " 2"),
    ],
)
def test_a_taken_name_gets_a_free_suggestion_that_fits(name: str, taken: list[str], free: str) -> None:
    assert free_name(name, taken, longest=40) == free


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\nb", "a\x00b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_or_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(ValidationProblem, match=r"^name: "):
        tidy_name(name, longest=40)


def test_a_name_loses_surplus_spaces() -> None:
    assert tidy_name("  Riley   the  First ", longest=40) == "Riley the First"
