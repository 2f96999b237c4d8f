"""Which variables an assistant speaks of, and which of them a list lacks."""

from autolynx.domain.spoken_variables import missing_variables, prompt_of, spoken_variables

CONFIG = {
    "firstMessage": "Hi {{name}}, it is {{date}}. {{ city }}?",
    "voicemailMessage": "Call {{number_to_call}}.",
    "endCallMessage": None,
    "model": {
        "messages": [
            {"role": "system", "content": "Be {{tone}}. {{name}}. {{ 'now' | date: '%H' }} {{customer.number}}"},
            {"role": "user", "content": 3},
            "nonsense",
        ]
    },
}


def test_variables_are_found_in_messages_and_prompt_each_once() -> None:
    assert spoken_variables(CONFIG) == ["name", "city", "number_to_call", "tone"]


def test_a_list_fills_its_own_columns_and_the_contact_itself() -> None:
    assert missing_variables(CONFIG, ["city", "Tone"]) == ["number_to_call", "tone"]
    assert missing_variables({}, []) == []
    assert missing_variables({"model": {"messages": "x"}}, []) == []


def test_the_prompt_is_what_the_system_says() -> None:
    assert prompt_of(CONFIG).startswith("Be {{tone}}.")
    assert prompt_of({"model": None}) == ""
