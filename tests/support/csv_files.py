"""A whole import in memory: what production does block by block with a database in between."""

from dataclasses import dataclass, replace

from autolynx.domain.csv_headers import Columns
from autolynx.domain.csv_import import ImportRules, Progress, judge_block
from autolynx.domain.csv_intake import Examiner, Inflater, TextFile
from autolynx.domain.csv_opening import open_csv
from autolynx.domain.csv_rows import Judged, SeenNumbers


@dataclass(frozen=True, kw_only=True)
class Imported:
    file: TextFile
    columns: Columns
    delimiter: str
    judged: Judged
    total_rows: int


def import_bytes(
    body: bytes,
    *,
    region: str = "US",
    limit_bytes: int = 10 << 20,
    max_rows: int = 250_000,
    piece_bytes: int = 65536,
    block_bytes: int = 1 << 20,
) -> Imported:
    """Import a body that arrives in pieces and is judged in blocks of the sizes given."""
    text, file = take_in(body, limit_bytes=limit_bytes, piece_bytes=piece_bytes)
    opening = open_csv(text[: 1 << 20], file=file)
    rules = ImportRules(
        dialect=opening.dialect,
        columns=opening.columns,
        region=region,
        size_bytes=file.size_bytes,
        max_rows=max_rows,
    )
    progress = Progress(next_offset=opening.next_offset, next_row=opening.next_row)
    judged, progress = _judge_all(text, rules, progress, block_bytes)
    return Imported(
        file=file,
        columns=opening.columns,
        delimiter=opening.dialect.delimiter,
        judged=judged,
        total_rows=progress.total_rows,
    )


def take_in(body: bytes, *, limit_bytes: int, piece_bytes: int = 65536) -> tuple[bytes, TextFile]:
    """Return the inflated bytes and what is known of them."""
    inflater, examiner = Inflater(limit_bytes=limit_bytes), Examiner()
    text = bytearray()
    for start in range(0, len(body), piece_bytes):
        for piece in inflater.feed(body[start : start + piece_bytes]):
            examiner.feed(piece)
            text += piece
    last = inflater.finish()
    examiner.feed(last)
    return bytes(text + last), examiner.finish()


def _judge_all(text: bytes, rules: ImportRules, progress: Progress, block_bytes: int) -> tuple[Judged, Progress]:
    judged, seen, size = Judged(), SeenNumbers(), block_bytes
    while True:
        block = text[progress.next_offset : progress.next_offset + size]
        step = judge_block(block, progress=progress, rules=rules, seen=seen)
        size = block_bytes if step.progress != progress else size * 2
        progress = replace(step.progress)
        judged.contacts += step.judged.contacts
        judged.skipped += step.judged.skipped
        judged.duplicates += step.judged.duplicates
        if progress.next_offset >= rules.size_bytes:
            return judged, progress
