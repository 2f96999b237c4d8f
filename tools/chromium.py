"""The Chromium of this machine, for those who look at the pages: tests and screenshots."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
VARIABLE = "AUTOLYNX_TEST_CHROMIUM"
MISSING = f"No browser is at hand: install Chromium (Debian: apt-get install chromium), or name one by {VARIABLE}."


def find_chromium() -> str | None:
    """Return the program: the one that the variable names, else the first of the usual names on the PATH."""
    named = os.environ.get(VARIABLE)
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
