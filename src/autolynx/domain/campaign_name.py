"""The name of a campaign when nobody gave it one."""

from datetime import date

MAX_CAMPAIGN_NAME_CHARACTERS = 100
_ENDINGS = (".gz", ".csv", ".tsv", ".txt")


def default_name(file_name: str, day: date) -> str:
    """Return a name made of the file and the day, for example `spring list 2026-11-23`."""
    stem = file_name
    for ending in _ENDINGS:
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            stem = stem[: -len(ending)]
    stem = " ".join("".join(c if c.isprintable() else " " for c in stem).split()) or "Campaign"
    suffix = f" {day:%Y-%m-%d}"
    return stem[: MAX_CAMPAIGN_NAME_CHARACTERS - len(suffix)].rstrip() + suffix
