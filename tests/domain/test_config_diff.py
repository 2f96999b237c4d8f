from typing import Any

import pytest

from autolynx.domain.config_diff import Change, Line, changed_paths, differences, is_same, named

RILEY: dict[str, Any] = {
    "model": {"provider": "openai", "temperature": 0.5, "messages": [{"role": "system", "content": "Be brief."}]},
    "endCallPhrases": ["goodbye", "bye"],
}


def test_equal_configurations_do_not_differ() -> None:
    assert differences(RILEY, {**RILEY}) == ()
    assert is_same({"a": 1}, {"a": 1.0})


def test_a_change_is_told_by_its_path_with_both_values() -> None:
    after = {**RILEY, "model": {**RILEY["model"], "temperature": 1}}
    assert differences(RILEY, after) == (Change(path="model.temperature", before=0.5, after=1),)


@pytest.mark.parametrize("nothing", [{}, {"voice": None}, {"voice": {}}, {"voice": {"speed": None}}])
def test_null_empty_and_absent_are_all_not_set(nothing: dict[str, Any]) -> None:
    assert differences({}, nothing) == ()
    assert differences({**nothing, "voice": {"speed": 2}}, nothing) == (
        Change(path="voice.speed", before=2, after=None),
    )


def test_true_is_not_one() -> None:
    assert changed_paths({"recording": True}, {"recording": 1}) == ("recording",)


def test_lists_of_objects_are_compared_one_by_one_and_other_lists_as_a_whole() -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    after = {"model": {**RILEY["model"], "messages": messages}, "endCallPhrases": ["goodbye"]}
    assert changed_paths(RILEY, after) == (
        "endCallPhrases",
        "model.messages.0.content",
        "model.messages.1.content",
        "model.messages.1.role",
    )


def test_a_value_that_becomes_an_object_is_told_as_a_whole() -> None:
    change = differences({"voicemailDetection": "off"}, {"voicemailDetection": {"provider": "google"}})
    assert change == (Change(path="voicemailDetection", before="off", after={"provider": "google"}),)


def test_a_long_text_is_told_line_by_line_with_its_surroundings() -> None:
    before = "\n".join(f"line {n}" for n in range(9))
    after = before.replace("line 4", "line four").replace("line 8", "line 8\nline 9")
    (change,) = differences({"prompt": before}, {"prompt": after})
    assert [line.sign + line.text for line in change.lines] == [
        "…", " line 2", " line 3", "-line 4", "+line four", " line 5", " line 6", " line 7", " line 8", "+line 9",
    ]  # fmt: skip


def test_short_texts_have_no_lines_and_a_new_long_one_has_only_new_ones() -> None:
    assert differences({"name": "Riley"}, {"name": "Robin"})[0].lines == ()
    (change,) = differences({}, {"prompt": "Be brief.\nBe kind."})
    assert change.lines == (Line(sign="+", text="Be brief."), Line(sign="+", text="Be kind."))


def test_a_text_of_very_many_lines_is_told_without_matching_them() -> None:
    (change,) = differences({"prompt": "a\n" * 3000}, {"prompt": "b\n" * 3000})
    assert len(change.lines) == 6000


def test_the_name_is_compared_with_the_rest() -> None:
    assert changed_paths(named("Riley", RILEY), named("Robin", RILEY)) == ("name",)
