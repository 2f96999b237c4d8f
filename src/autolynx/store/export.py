"""The CSV of a campaign, made by PostgreSQL itself: COPY ... TO STDOUT, formulas neutralised in SQL.

A cell that a spreadsheet would run as a formula (it begins with = + - @ tab or a line break, after any number of
apostrophes) gets one apostrophe more, as everywhere in this program; taking one away undoes it. What is nothing but
a signed number stays as it is: it cannot do anything, and a phone number in E.164 or a balance of -5 must stay
readable for the next machine.
"""

from collections.abc import Sequence
from uuid import UUID

from psycopg import AsyncCopy
from psycopg.abc import Buffer

from autolynx.store.database import Connection
from autolynx.store.report_rows import COLUMNS, SOURCES, ContactFilter

# In the order of the file; the rendering of each: free text, a time, or what can be nothing but a plain word.
_TEXT, _TIME, _PLAIN = "text", "time", "plain"
CSV_COLUMNS: dict[str, str] = {
    "campaign": _TEXT,
    "assistant": _TEXT,
    "name": _TEXT,
    "business_name": _TEXT,
    "phone": _PLAIN,  # a CHECK of the table: a plus and digits
    "call_status": _PLAIN,
    "outcome": _PLAIN,
    "ended_reason": _TEXT,
    "cost_usd": _PLAIN,
    "duration_seconds": _PLAIN,
    "started_at": _TIME,
    "ended_at": _TIME,
    "recording_url": _PLAIN,
    "success_evaluation": _PLAIN,
    "transcript_summary": _TEXT,
}
TRANSCRIPT_COLUMN = "transcript_json"
# By code first: most cells begin with a letter, and the pattern is not even looked at. The last four are the
# full-width forms that some spreadsheets take for = + - @.
_MAY_RUN = r"""ascii({cell}) IN (39, 61, 43, 45, 64, 9, 10, 13, 65309, 65291, 65293, 65312)
    AND {cell} ~ '^''*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]' AND {cell} !~ '^[+-][0-9]+(\.[0-9]+)?$'"""
_NEUTRAL = f"CASE WHEN {_MAY_RUN} THEN '''' || {{cell}} ELSE {{cell}} END"
_UTC = """to_char({cell} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
# The last row of a COPY. It says that everything has come, and lets us read what lies in the buffer at one go
# without running over the end.
_END = "\x1fend\x1f"


async def list_variable_keys(conn: Connection, campaign_id: UUID) -> list[str]:
    """Return the keys of variables that contacts of a campaign have, in alphabetical order."""
    cursor = await conn.execute(
        """SELECT DISTINCT v.key COLLATE "C" AS key
           FROM contacts t CROSS JOIN LATERAL jsonb_object_keys(t.variables) v (key)
           WHERE t.campaign_id = %s ORDER BY 1""",
        [campaign_id],
    )
    return [row["key"] for row in await cursor.fetchall()]


async def last_position(conn: Connection, campaign_id: UUID) -> int:
    """Return the position of the last contact, -1 where there is none."""
    cursor = await conn.execute(
        "SELECT coalesce(max(position), -1) AS last FROM contacts WHERE campaign_id = %s", [campaign_id]
    )
    row = await cursor.fetchone()
    return int(row["last"]) if row else -1


async def copy_lines(
    conn: Connection,
    campaign_id: UUID,
    *,
    chosen: ContactFilter,
    keys: Sequence[str],
    has_transcript: bool,
    calls_url: str,
    first: int,
    last: int,
) -> bytes:
    """Return the lines of those contacts at positions `first` to `last` that fit, in the order of the file.

    Each is ended by a newline.

    `keys` are the variables that become columns; `calls_url` is what our address of a call begins with.
    """
    cells = [_rendered(COLUMNS[name], how) for name, how in CSV_COLUMNS.items()]
    cells += [_rendered(f"t.variables ->> %(key{number})s", _TEXT) for number in range(len(keys))]
    if has_transcript:
        cells.append("k.transcript_json::text")
    end = ", ".join(["%(end)s", *["NULL"] * (len(cells) - 1)])
    statement = f"""COPY ((SELECT {", ".join(cells)} FROM {SOURCES} WHERE {chosen.where_latest()}
            AND t.position BETWEEN %(first)s AND %(last)s ORDER BY t.position) UNION ALL SELECT {end})
        TO STDOUT (FORMAT csv)"""
    values = {"campaign_id": campaign_id, "first": first, "last": last, "calls_url": calls_url, "end": _END}
    named = {f"key{number}": key for number, key in enumerate(keys)}
    async with conn.cursor().copy(statement, {**chosen.parameters(), **values, **named}) as copy:
        return await _read_all(copy, width=len(cells))


def _rendered(source: str, how: str) -> str:
    if how == _TIME:
        return _UTC.format(cell=source)
    return _NEUTRAL.format(cell=f"({source})") if how == _TEXT else f"({source})::text"


async def _read_all(copy: AsyncCopy, *, width: int) -> bytes:
    """Read every line but the last. We await only when the buffer is empty: an await costs more than a line."""
    end = (_END + "," * (width - 1) + "\n").encode()
    received = copy.connection.pgconn
    lines: list[Buffer] = []
    while line := await copy.read():
        while line and line != end:
            lines.append(line)
            _, line = received.get_copy_data(1)
    return b"".join(lines)
