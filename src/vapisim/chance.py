"""Seeded luck: every draw is a function of the seed and of what it is about, never of the order of events.

Two runs that dial the same numbers in another order, or at another speed, meet the same fates and faults.
"""

import hashlib
import random


class Chance:
    """Draws that depend only on (seed, subject)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fraction(self, *subject: object) -> float:
        """Draw the number in [0, 1) that belongs to this subject."""
        digest = hashlib.blake2b(self._key(subject), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def happens(self, probability: float, *subject: object) -> bool:
        """Whether something of this probability happens to this subject."""
        return probability > 0 and self.fraction(*subject) < probability

    def dice(self, *subject: object) -> random.Random:
        """Make a generator of its own for a subject that needs many draws."""
        digest = hashlib.blake2b(self._key(subject), digest_size=16).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def _key(self, subject: tuple[object, ...]) -> bytes:
        return "|".join(map(str, (self.seed, *subject))).encode()
