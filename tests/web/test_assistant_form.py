"""The form of an assistant turns a configuration into fields and back, and loses nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.templates import TEMPLATES
from autolynx.web.pages.assistant_form import filled_with, read_form

RILEY: dict[str, Any] = {
    "firstMessage": "Hello.\r\nIs that {{name}}?",
    "firstMessageMode": "assistant-speaks-first",
    "model": {
        "provider": "openai",
        "model": "gpt-4o",
        "temperature": 0.4,
        "maxTokens": 200,
        "messages": [{"role": "user", "content": "Hi"}, {"role": "system", "content": "\nBe brief.\n"}],
        "tools": [{"type": "endCall"}],
    },
    "voice": {"provider": "11labs", "voiceId": "abc", "fallbackPlan": {"voices": []}},
    "voicemailDetection": {"provider": "google", "beepMaxAwaitSeconds": 20},
    "endCallPhrases": ["goodbye", "bye"],
    "maxDurationSeconds": 120,
    "artifactPlan": {"recordingEnabled": False, "pcapEnabled": True},
    "analysisPlan": {
        "summaryPlan": {"enabled": True},
        "successEvaluationPlan": {"rubric": "PassFail", "messages": [{"role": "system", "content": "Judge."}]},
    },
}

MODEL = {"provider": "openai", "model": "gpt-4o"}
JUDGE = {"role": "system", "content": "Judge."}


def _typed(config: dict[str, Any], **changes: str) -> dict[str, str]:
    """What a browser sends for the form of a configuration: lines end in CR LF, a box that is off is left out."""
    values = {**filled_with("Riley", config).values, **changes}
    return {name: text.replace("\r\n", "\n").replace("\n", "\r\n") for name, text in values.items() if text}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"voicemailMessage": "", "endCallPhrases": []},
        {"model": {**MODEL, "messages": [JUDGE, {"role": "user", "content": "Hi"}, JUDGE, JUDGE]}},
        RILEY,
        *(one.config for one in TEMPLATES),
    ],
)
def test_an_untouched_form_means_the_very_same_configuration(config: dict[str, Any]) -> None:
    read = read_form(_typed(config), config)
    assert read.config == config
    assert read.problems == {}


def test_what_its_field_cannot_show_stays_in_the_rest_and_is_changed_there() -> None:
    base = {"artifactPlan": {"recordingEnabled": "yes"}, "firstMessage": 5}
    read = read_form(_typed(base), base)
    assert (read.config, "advanced" in read.problems) == (base, False)
    changed = json.dumps({"firstMessage": 6, "artifactPlan": {"recordingEnabled": "no"}})
    assert read_form(_typed(base, advanced=changed), base).config == json.loads(changed)


def test_one_of_two_prompts_is_changed_in_its_field_and_the_other_in_the_rest() -> None:
    base = {"model": {**MODEL, "messages": [JUDGE, {"role": "system", "content": "Be brief."}]}}
    read = read_form(_typed(base, system_prompt="Be kind."), base)
    assert [one["content"] for one in read.config["model"]["messages"]] == ["Be kind.", "Be brief."]
    assert read.problems == {}
    new = read_form(_typed(RILEY, advanced=json.dumps({"model": {"messages": [JUDGE]}})), RILEY)
    assert "model.messages: has a field of its own above" in new.problems["advanced"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    read = read_form({"name": "Riley", "advanced": f'{{"x": [{number}]}}'}, {})
    assert read.problems["advanced"].startswith("A number in it is not finite")


def test_what_has_a_field_is_not_in_the_rest_and_the_rest_is_whole() -> None:
    assert json.loads(filled_with("Riley", RILEY)["advanced"]) == {
        "firstMessageMode": "assistant-speaks-first",
        "model": {"maxTokens": 200, "messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "endCall"}]},
        "voice": {"fallbackPlan": {"voices": []}},
        "voicemailDetection": {"beepMaxAwaitSeconds": 20},
        "artifactPlan": {"pcapEnabled": True},
        "analysisPlan": {"summaryPlan": {"enabled": True}},
    }


def test_a_changed_prompt_stays_where_it_stood() -> None:
    read = read_form(_typed(RILEY, system_prompt="Be kind."), RILEY)
    assert read.config["model"]["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Be kind."},
    ]


def test_an_emptied_field_is_unset() -> None:
    emptied = {"system_prompt": "", "end_call_phrases": " \n", "max_duration": "", "voice_id": " ", "recording": "on"}
    read = read_form(_typed(RILEY, **emptied), RILEY)
    assert read.config["model"]["messages"] == [{"role": "user", "content": "Hi"}]
    assert not {"endCallPhrases", "maxDurationSeconds"} & set(read.config)
    assert "voiceId" not in read.config["voice"]
    assert read.config["artifactPlan"] == {"recordingEnabled": True, "pcapEnabled": True}


def test_voicemail_detection_keeps_its_details_under_another_provider_and_can_be_off() -> None:
    read = read_form(_typed(RILEY, voicemail_detection="vapi"), RILEY)
    assert read.config["voicemailDetection"] == {"provider": "vapi", "beepMaxAwaitSeconds": 20}
    assert read_form(_typed(RILEY, voicemail_detection="off"), RILEY).config["voicemailDetection"] == "off"


@pytest.mark.parametrize(
    ("changes", "name", "sentence"),
    [
        ({"temperature": "9"}, "temperature", "Use a number from 0 to 2."),
        ({"temperature": "warm"}, "temperature", "Use a number from 0 to 2."),
        ({"temperature": "nan"}, "temperature", "Use a number from 0 to 2."),
        ({"max_duration": "5"}, "max_duration", "Use a whole number from 10 to 43200 seconds."),
        ({"max_duration": "10.5"}, "max_duration", "Use a whole number from 10 to 43200 seconds."),
        ({"voicemail_message": "x" * 1001}, "voicemail_message", "Has 1001 characters; use at most 1000."),
        ({"end_call_phrases": "x"}, "end_call_phrases", "Each phrase must have 2 to 140 characters."),
        ({"model_name": ""}, "model_name", "Is required in model."),
        ({"advanced": "{"}, "advanced", "This is not valid JSON at line 1, column 2; correct it, or empty the field."),
        ({"advanced": "[]"}, "advanced", "Give an object in braces: {...}."),
        (
            {"advanced": '{"firstMessage": "Hi"}'},
            "advanced",
            "firstMessage: has a field of its own above; write it there.",
        ),
        (
            {"advanced": '{"model": {"maxTokens": 1}}'},
            "advanced",
            "Config.model.maxTokens: use a whole number from 50 to 10000 tokens.",
        ),
        ({"advanced": '{"model": 3}'}, "advanced", 'Config.model: must be an object, for example {"provider": ...}.'),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(changes: dict[str, str], name: str, sentence: str) -> None:
    assert read_form(_typed(RILEY, **changes), RILEY).problems[name] == sentence


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=5,
)
KEYS = st.sampled_from(["model", "voice", "firstMessage", "voicemailDetection", "endCallPhrases", "x", "artifactPlan"])


@given(
    st.dictionaries(KEYS, JSON, max_size=4), st.dictionaries(st.sampled_from(["advanced", "temperature"]), st.text())
)
def test_no_configuration_and_nothing_typed_breaks_the_form(config: dict[str, Any], typed: dict[str, str]) -> None:
    read_form({**_typed(config), **typed}, config)
    untouched = read_form(_typed(config), config)
    assert untouched.config == config or untouched.problems
