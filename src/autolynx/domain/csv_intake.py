"""The bytes of an upload on their way in: inflated, refused if they are no CSV, measured and fingerprinted.

Everything here is fed piece by piece and keeps no more than a few kilobytes.
"""

import codecs
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from autolynx.domain.csv_magic import refuse_foreign_file
from autolynx.errors import PayloadTooLarge, ValidationProblem

GZIP_MAGIC = b"\x1f\x8b"
EMPTY_FILE = "The file is empty; choose a CSV with contacts."
INFLATE_STEP_BYTES = 1 << 18
HEAD_BYTES = 8192
# Byte order marks, and the codec for what follows them; each of these codecs is fixed to one byte order.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """What is known of a file once all of it was seen. Sizes in bytes, of the inflated file."""

    size_bytes: int
    mark_bytes: int
    encoding: str
    fingerprint: str


class Inflater:
    """Turns the pieces of a body into pieces of text bytes; gzip is recognised by its first two bytes.

    A file that inflates beyond the limit is stopped there, whatever it would have become.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._seen_bytes = 0
        self._start = b""
        self._gzip: zlib._Decompress | None = None
        self._is_open = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what the piece adds. Raises PayloadTooLarge at the limit, ValidationProblem for bad gzip."""
        if not self._is_open:
            self._start += piece
            if len(self._start) < len(GZIP_MAGIC):
                return
            piece, self._start = self._start, b""
            self._is_open = True
            self._gzip = _new_gzip() if piece.startswith(GZIP_MAGIC) else None
        for inflated in self._inflate(piece) if self._gzip else (piece,):
            yield self._counted(inflated)

    def finish(self) -> bytes:
        """Return the last bytes. Raises ValidationProblem when a gzip file ends too early."""
        if self._gzip and not self._gzip.eof:
            raise ValidationProblem("The gzip file is incomplete; compress the CSV again.", field="file")
        return self._start

    def _inflate(self, piece: bytes) -> Iterator[bytes]:
        while piece and self._gzip:
            if self._gzip.eof:  # a gzip file may consist of several, one after the other
                if not piece.strip(b"\0"):
                    return
                self._gzip = _new_gzip()
            try:
                inflated = self._gzip.decompress(piece, INFLATE_STEP_BYTES)
            except zlib.error:
                raise ValidationProblem("The gzip file is damaged; compress the CSV again.", field="file") from None
            piece = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail
            if inflated:
                yield inflated
        yield from self._held_back()

    def _held_back(self) -> Iterator[bytes]:
        """Yield what zlib still holds after all input was taken, in steps as well."""
        while self._gzip and not self._gzip.eof and (more := self._gzip.decompress(b"", INFLATE_STEP_BYTES)):
            yield more

    def _counted(self, piece: bytes) -> bytes:
        self._seen_bytes += len(piece)
        if self._seen_bytes > self._limit_bytes:
            raise too_large(self._limit_bytes)
        return piece


class Examiner:
    """Looks at the inflated pieces once and says what kind of text they are."""

    def __init__(self) -> None:
        self._size_bytes = 0
        self._digest = hashlib.sha256()
        self._head = b""
        self._mark = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._encoding = "utf-8"

    def feed(self, piece: bytes) -> None:
        """Take the next piece. Raises ValidationProblem as soon as it is clear that this is not a CSV."""
        self._size_bytes += len(piece)
        self._digest.update(piece)
        if self._decoder:
            self._decode(piece)
            return
        if self._encoding != "cp1252":
            self._head += piece
            if len(self._head) >= HEAD_BYTES:
                self._begin()

    def finish(self) -> TextFile:
        """Return the verdict. Raises ValidationProblem for an empty file or one that breaks its encoding."""
        if not self._decoder and self._encoding != "cp1252":
            self._begin()
        if self._size_bytes == len(self._mark):
            raise ValidationProblem(EMPTY_FILE, field="file")
        if self._decoder:
            self._decode(b"", is_last=True)
        return TextFile(
            size_bytes=self._size_bytes,
            mark_bytes=len(self._mark),
            encoding=self._encoding,
            fingerprint=self._digest.hexdigest(),
        )

    def _begin(self) -> None:
        self._mark = next((mark for mark in BYTE_ORDER_MARKS if self._head.startswith(mark)), b"")
        self._encoding = BYTE_ORDER_MARKS.get(self._mark, "utf-8")
        head, self._head = self._head, b""
        refuse_foreign_file(head, is_wide=self._encoding.startswith("utf-16"))
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._decode(head[len(self._mark) :])

    def _decode(self, piece: bytes, *, is_last: bool = False) -> None:
        if not self._decoder:
            return
        try:
            self._decoder.decode(piece, is_last)
        except UnicodeDecodeError:
            if self._mark:
                raise _breaks_its_mark(self._encoding) from None
            self._encoding, self._decoder = "cp1252", None


def too_large(limit_bytes: int) -> PayloadTooLarge:
    """Return the refusal of a file over the limit."""
    return PayloadTooLarge(
        f"The file is larger than {_megabytes(limit_bytes)}; split it into several files.",
        details={"field": "file", "limitBytes": limit_bytes, "setting": "MAX_UPLOAD_BYTES"},
    )


def _megabytes(size_bytes: int) -> str:
    megabytes = size_bytes / (1 << 20)
    return f"{megabytes:g} MB" if megabytes == round(megabytes, 2) else f"{size_bytes:,} bytes"


def _breaks_its_mark(encoding: str) -> ValidationProblem:
    name = "UTF-8" if encoding == "utf-8" else "UTF-16"
    return ValidationProblem(
        f"The file says that it is {name} but is not; save it as CSV UTF-8 and upload it again.", field="file"
    )


def _new_gzip() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
