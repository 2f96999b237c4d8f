"""Files that are not a CSV, known by how they begin."""

from autolynx.errors import ValidationProblem

SAVE_AS_CSV = "save it as CSV UTF-8 and upload that"
EXPORT_AS_CSV = "export the contacts as CSV and upload that"

# How a file begins, what it is, and what to do about it.
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive", SAVE_AS_CSV),
    (b"PK\x05\x06", "an empty zip archive", SAVE_AS_CSV),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", SAVE_AS_CSV),
    (b"%PDF", "a PDF", EXPORT_AS_CSV),
    (b"{\\rtf", "a text document", SAVE_AS_CSV),
    (b"\x1f\x8b", "a file compressed twice", "compress the CSV once"),
    (b"BZh", "a bzip2 archive", "use gzip or the plain CSV"),
    (b"\xfd7zXZ", "an xz archive", "use gzip or the plain CSV"),
    (b"7z\xbc\xaf", "a 7z archive", "use gzip or the plain CSV"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "use gzip or the plain CSV"),
    (b"Rar!", "a rar archive", "use gzip or the plain CSV"),
    (b"\x89PNG", "a picture", EXPORT_AS_CSV),
    (b"\xff\xd8\xff", "a picture", EXPORT_AS_CSV),
    (b"GIF8", "a picture", EXPORT_AS_CSV),
)
WEB_PAGE = (b"<!doctype", b"<html", b"<?xml")


def refuse_foreign_file(head: bytes, *, is_wide: bool) -> None:
    """Raise ValidationProblem when the first bytes cannot be those of a CSV.

    `is_wide`: the file is marked as UTF-16, where zero bytes are ordinary.
    """
    for magic, what, remedy in MAGIC:
        if head.startswith(magic):
            raise _not_a_csv(what, remedy)
    if head.lstrip().lower().startswith(WEB_PAGE):
        raise _not_a_csv("a web page", EXPORT_AS_CSV)
    first_line = head.replace(b"\r", b"\n").lstrip(b"\n").partition(b"\n")[0]
    if b"\0" in first_line and not is_wide:  # further down, a NUL spoils its row only
        raise _not_a_csv("a binary file", SAVE_AS_CSV)


def foreign_sentences() -> list[tuple[str, str]]:
    """Return how a file begins that is refused at a glance, in hexadecimal, and the refusal. Gzip is welcome."""
    return [(magic.hex(), str(_not_a_csv(what, remedy))) for magic, what, remedy in MAGIC if magic != b"\x1f\x8b"]


def _not_a_csv(what: str, remedy: str) -> ValidationProblem:
    return ValidationProblem(f"The file is {what}, not a CSV; {remedy}.", field="file")
