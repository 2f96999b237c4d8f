"""The part of a recording that a player asks for."""

import pytest

from autolynx.web.byte_range import Part, wanted_part


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", Part(first=0, last=99)),
        ("bytes=10-19", Part(first=10, last=19)),
        ("Bytes = 90-1000", Part(first=90, last=99)),
        ("bytes=-5", Part(first=95, last=99)),
        ("bytes=-500", Part(first=0, last=99)),
    ],
)
def test_one_range_is_a_part_of_the_file(header: str, part: Part) -> None:
    assert wanted_part(header, size=100) == part


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=5-4", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"])
def test_no_range_an_odd_one_and_several_ask_for_the_whole_file(header: str | None) -> None:
    assert wanted_part(header, size=100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_what_lies_behind_the_end_is_a_part_without_bytes(header: str) -> None:
    part = wanted_part(header, size=100)
    assert part is not None
    assert part.size <= 0
