import secrets

import pytest

from autolynx.domain.secret_strength import weakness


@pytest.mark.parametrize(
    ("secret", "word"),
    [
        ("", "16 characters"),
        ("short", "16 characters"),
        ("x" * 15, "16 characters"),
        ("changemechangeme", "example"),
        ("change-me-please-1", "example"),
        ("CHANGE_ME_CHANGE_ME", "example"),
        ("your-secret-here-0000", "example"),
        ("supersecretpassword", "example"),
        ("my_secret_key_2024!", "example"),
        ("password12345678", "example"),
        ("0123456789abcdef", "example"),
        ("example-secret-value", "example"),
        ("a" * 40, "repeats"),
        ("abababababababababab", "repeats"),
        ("aaaaaaaabbbbbbbbcccccccc", "repeats"),
        ("hunter7hunter7hunter7", "repeats"),
        ("00000000-0000-0000-0000-000000000000", "repeats"),
    ],
)
def test_what_can_be_guessed_is_weak(secret: str, word: str) -> None:
    found = weakness(secret)
    assert found is not None
    assert word in found
    assert not secret or secret not in found


def test_what_was_drawn_by_lot_is_not_weak() -> None:
    for _ in range(500):
        assert weakness(secrets.token_hex(24)) is None
        assert weakness(secrets.token_urlsafe(24)) is None
        assert weakness(secrets.token_hex(8)) is None


@pytest.mark.parametrize(
    "secret", ["correct horse battery staple", "d3a0c9b8-7f6e-4d5c-8b4a-3f2e1d0c9b8a", "hook-secret-of-the-test"]
)
def test_what_somebody_chose_with_care_is_not_weak(secret: str) -> None:
    assert weakness(secret) is None
