"""The Chromium of this machine, for those who look at the pages: tests and screenshots."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A headless Chromium makes ready what only the hands of a person would open: the list below its address bar, in a
# process of its own for each window, and processes for pages to come. That is a fifth of the work.
_UNSEEN = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    f"--disable-features={','.join(_UNSEEN)}",
]
VARIABLE = "AUTOLYNX_TEST_CHROMIUM"
MISSING = f"No browser is at hand: install Chromium (Debian: apt-get install chromium), or name one by {VARIABLE}."


def find_chromium() -> str | None:
    """Return the program: the one that the variable names, else the first of the usual names on the PATH."""
    named = os.environ.get(VARIABLE)
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
