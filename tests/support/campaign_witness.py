"""A witness inside the database: it writes down every move of every row, also those between two looks of a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autolynx.store.database import Database
from tests.support.checks import RECOUNT, query

# What a claim has to respect is written down in the very statement that takes the line.
WITNESS = """
CREATE TABLE witness (id bigint GENERATED ALWAYS AS IDENTITY, what text, who uuid, before text, after text, lines int,
    cap int, account_lines int, is_held boolean);
CREATE FUNCTION witness_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witness (what, who, before, after) VALUES (TG_TABLE_NAME, NEW.id, OLD.status::text, NEW.status::text);
    RETURN NULL; END $$;
CREATE FUNCTION witness_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witness (what, who, before, lines, cap, account_lines, is_held)
    SELECT 'claim', NEW.id, CASE WHEN c.deleted_at IS NULL THEN c.status::text ELSE 'DELETED' END,
        (SELECT count(*) FROM calls k WHERE k.campaign_id = c.id AND k.holds_line), c.cap,
        (SELECT count(*) FROM calls k WHERE k.holds_line), (SELECT held_at IS NOT NULL OR trouble IS NOT NULL FROM gate)
    FROM campaigns c WHERE c.id = NEW.campaign_id;
    RETURN NULL; END $$;
CREATE TRIGGER witness_campaigns AFTER UPDATE ON campaigns FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION witness_move();
CREATE TRIGGER witness_calls AFTER UPDATE ON calls FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION witness_move();
CREATE TRIGGER witness_claims AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION witness_claim();
"""
EMPTY = """
SET LOCAL session_replication_role = replica;
DELETE FROM witness; DELETE FROM call_events; DELETE FROM call_aliases; DELETE FROM incidents;
DELETE FROM webhook_inbox; DELETE FROM calls; DELETE FROM contacts; DELETE FROM campaign_counters;
DELETE FROM campaigns; DELETE FROM assistants; DELETE FROM phone_numbers; DELETE FROM audit_log;
DELETE FROM gate; INSERT INTO gate (id) VALUES (1);
"""
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """How everything stands, and what the witness wrote down since the last look."""

    campaigns: Sequence[Row]
    contacts: Sequence[Row]
    calls: Sequence[Row]
    incidents: Sequence[Row]
    moves: Sequence[Row]
    drifted: Sequence[Row]  # counters that are no recount

    def calls_of(self, campaign: Row) -> list[Row]:
        """Return the calls of a campaign."""
        return [call for call in self.calls if call["campaign_id"] == campaign["id"]]

    def contacts_of(self, campaign: Row) -> list[Row]:
        """Return the contacts of a campaign."""
        return [contact for contact in self.contacts if contact["campaign_id"] == campaign["id"]]


async def call_witness(database: Database) -> None:
    """Let the witness watch this database."""
    async with database.transaction() as conn:
        await conn.execute(WITNESS)


async def empty(database: Database) -> None:
    """Forget everything, so that the next example starts from nothing."""
    async with database.transaction() as conn:
        await conn.execute(EMPTY)


async def look(database: Database) -> Scene:
    """Look at everything, and let the witness begin a new page."""
    return Scene(
        campaigns=await query(database, "SELECT * FROM campaigns ORDER BY name"),
        contacts=await query(database, "SELECT * FROM contacts ORDER BY phone"),
        calls=await query(
            database,
            """SELECT k.*, t.phone, t.state AS contact_state FROM calls k JOIN contacts t ON t.id = k.contact_id
               ORDER BY t.phone, k.attempt""",
        ),
        incidents=await query(database, "SELECT * FROM incidents ORDER BY id"),
        moves=await query(database, "DELETE FROM witness RETURNING *"),
        drifted=await query(database, RECOUNT),
    )
