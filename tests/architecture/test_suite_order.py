"""Long tests begin first, however many workers there are."""

import pytest

from tests.support.suite_order import dealt


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_long_tests_are_at_the_heads_of_the_stretches_that_workers_are_given(workers: int) -> None:
    long, quick = [f"long {n}" for n in range(8)], [f"quick {n}" for n in range(40)]
    ordered = dealt(long, quick, workers=workers, hand_of=lambda one: one)
    assert sorted(ordered) == sorted(long + quick)
    size = len(ordered) // workers
    stretches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    assert [one.split()[0] for stretch in stretches for one in stretch[: 8 // workers]] == ["long"] * 8
    assert [one for one in ordered if one in quick] == quick


def test_long_tests_of_one_hand_go_to_one_worker() -> None:
    ordered = dealt(["a1", "a2", "b", "c"], list("uvwxyz"), workers=2, hand_of=lambda one: one[0])
    assert ordered == ["a1", "a2", "c", "u", "v", "b", "w", "x", "y", "z"]
