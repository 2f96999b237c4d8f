"""What somebody reads who comes straight to the database with a JWT: no more than the application would show."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
import pytest

from autolynx.store.database import Connection, Database
from autolynx.store.migrate import migration_files

pytestmark = pytest.mark.anyio

ADA, BEN, EVE = "sub-of-ada", "sub-of-ben", "sub-of-eve"
# Tables that are granted at all; every other one is refused, whoever asks.
GRANTED = (
    "campaigns", "campaign_counters", "call_figures", "contacts", "incidents", "assistants", "assistant_versions",
    "phone_numbers", "call_events", "audit_log",
)  # fmt: skip
CALL_COLUMNS = "id, campaign_id, outcome, transcript_json"


@dataclass
class Teams:
    """A database with the roles of Supabase, two operators with a campaign each, and an admin."""

    conn: Connection
    campaigns: dict[str, UUID] = field(default_factory=dict)

    async def run(self, sql: str, *values: object) -> list[dict[str, object]]:
        """Run a statement as it is."""
        cursor = await self.conn.execute(sql.encode(), list(values))
        return [dict(row) for row in await cursor.fetchall()] if cursor.description else []

    async def add_person(self, sub: str, role: str, *, allowlisted: bool = True) -> UUID:
        """Put somebody on the list, bound to their identity."""
        person = uuid4()
        await self.run(
            """INSERT INTO user_profiles (id, email, role, allowlisted, identity, sub, created_at)
               VALUES (%s, %s, %s, %s, 'supabase', %s, now())""",
            person, f"{sub}@example.com", role, allowlisted, sub,
        )  # fmt: skip
        return person

    async def add_campaign(self, owner: UUID | None, assistant: UUID, name: str) -> UUID:
        """Add a campaign with one contact, one call, its event and an incident."""
        campaign, contact, call = uuid4(), uuid4(), uuid4()
        await self.run(
            """INSERT INTO campaigns
                   (id, name, mode, cap, assistant_id, phone_number_id, options_json, owner_id, created_at)
               VALUES (%s, %s, 'continuous', 1, %s, 'p', '{}', %s, now())""",
            campaign, name, assistant, owner,
        )  # fmt: skip
        await self.run(
            """INSERT INTO contacts (id, campaign_id, name, business_name, phone, phone_raw, variables, position)
               VALUES (%s, %s, 'Zoe', 'Acme', '+12025550143', '', '{}', 0)""",
            contact, campaign,
        )  # fmt: skip
        await self.run(
            """INSERT INTO calls (id, campaign_id, contact_id, attempt, claimed_at, lease_until, control_url)
               VALUES (%s, %s, %s, 1, now(), now(), 'https://control.example')""",
            call, campaign, contact,
        )  # fmt: skip
        await self.run(
            """INSERT INTO call_events (campaign_id, call_id, status, source, payload, created_at)
               VALUES (%s, %s, 'QUEUED', 'poll', '{}', now())""",
            campaign, call,
        )  # fmt: skip
        await self.run(
            "INSERT INTO incidents (kind, campaign_id, sentence, created_at) VALUES ('double_dial', %s, 'x', now())",
            campaign,
        )
        return campaign

    @asynccontextmanager
    async def signed_in(self, claims: str | None, role: str = "authenticated") -> AsyncIterator[None]:
        """Be that role with those claims, as PostgREST is for a request."""
        await self.run("SAVEPOINT request")
        if claims is not None:
            await self.run("SELECT set_config('request.jwt.claims', %s, true)", claims)
        await self.run(f"SET LOCAL ROLE {role}")
        try:
            yield
        finally:
            await self.run("ROLLBACK TO SAVEPOINT request")

    async def counts(self) -> dict[str, int]:
        """Count what is seen of every table that is granted."""
        return {table: len(await self.run(f"SELECT * FROM {table}")) for table in GRANTED}


@asynccontextmanager
async def teams(empty_database: Database) -> AsyncIterator[Teams]:
    async with empty_database.transaction() as conn:  # roles belong to the whole server: never committed
        there = Teams(conn)
        for role in ("anon", "authenticated"):
            await there.run(f"CREATE ROLE {role}")
        await there.run("GRANT USAGE ON SCHEMA public TO anon, authenticated")
        for migration in migration_files():
            await conn.execute(migration.sql.encode())
        assistant = uuid4()
        await there.run(
            "INSERT INTO assistants (id, name, source, provider_assistant_id, config_json, created_at, updated_at) "
            "VALUES (%s, 'Riley', 'local', 'a-1', '{}', now(), now())",
            assistant,
        )
        await there.run("INSERT INTO audit_log (at, actor, action) VALUES (now(), 'console', 'x')")
        ada, ben = await there.add_person(ADA, "operator"), await there.add_person(BEN, "operator")
        await there.add_person("sub-of-root", "admin")
        await there.add_person(EVE, "admin", allowlisted=False)
        there.campaigns = {
            ADA: await there.add_campaign(ada, assistant, "Ada's"),
            BEN: await there.add_campaign(ben, assistant, "Ben's"),
            "": await there.add_campaign(None, assistant, "Nobody's"),
        }
        yield there
        await conn.execute("ROLLBACK")
        await conn.execute("BEGIN")


def claims_of(sub: str) -> str:
    return json.dumps({"sub": sub, "role": "authenticated", "aud": "authenticated"})


@pytest.mark.every_postgres
async def test_an_operator_reads_the_own_campaigns_and_all_that_hangs_on_them_alone(empty_database: Database) -> None:
    async with teams(empty_database) as there:
        for sub in (ADA, BEN):
            async with there.signed_in(claims_of(sub)):
                assert {row["id"] for row in await there.run("SELECT id FROM campaigns")} == {there.campaigns[sub]}
                seen = await there.counts()
                assert {seen[name] for name in ("campaigns", "campaign_counters", "contacts", "incidents")} == {1}
                assert (seen["assistants"], seen["call_events"], seen["audit_log"]) == (1, 0, 0)
                calls = await there.run(f"SELECT {CALL_COLUMNS} FROM calls")
                assert {row["campaign_id"] for row in calls} == {there.campaigns[sub]}
                people = await there.run("SELECT email FROM user_profiles")
                assert people == [{"email": f"{sub}@example.com"}]


async def test_an_admin_reads_all_of_it(empty_database: Database) -> None:
    async with teams(empty_database) as there, there.signed_in(claims_of("sub-of-root")):
        seen = await there.counts()
        assert (seen["campaigns"], seen["contacts"], seen["call_events"], seen["audit_log"]) == (3, 3, 3, 1)
        assert len(await there.run("SELECT id, email FROM user_profiles")) == 4


@pytest.mark.parametrize(
    "claims",
    [None, "", "{}", '{"sub": null}', claims_of("nobody"), claims_of(EVE), '{"role": "admin"}', '{"sub": "%"}'],
)
async def test_whoever_is_not_on_the_list_reads_nothing(empty_database: Database, claims: str | None) -> None:
    async with teams(empty_database) as there, there.signed_in(claims):
        assert set((await there.counts()).values()) == {0}
        assert await there.run("SELECT id FROM calls") == []
        assert await there.run("SELECT id FROM user_profiles") == []


@pytest.mark.parametrize("sub", [ADA, "sub-of-root"])
async def test_nothing_is_written_and_secrets_are_out_of_reach(empty_database: Database, sub: str) -> None:
    forbidden = [
        "SELECT control_url FROM calls",
        "SELECT * FROM calls",
        "SELECT sub FROM user_profiles",
        *(f"SELECT 1 FROM {table}" for table in ("api_tokens", "passwords", "sign_in_failures", "webhook_inbox")),
        *(
            f"SELECT 1 FROM {table}"
            for table in ("uploads", "upload_rows", "idempotency_keys", "gate", "system_config")
        ),
        "UPDATE campaigns SET cap = 2",
        "DELETE FROM contacts",
        "INSERT INTO audit_log (at, actor, action) VALUES (now(), 'x', 'x')",
        "UPDATE user_profiles SET role = 'admin'",
        "TRUNCATE campaigns",
        "SELECT * FROM recount_figures()",
    ]
    async with teams(empty_database) as there:
        for sql in forbidden:
            async with there.signed_in(claims_of(sub)):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await there.conn.execute(sql.encode())


async def test_a_stranger_with_the_public_key_reads_nothing_at_all(empty_database: Database) -> None:
    async with teams(empty_database) as there:
        for table in (*GRANTED, "calls", "user_profiles"):
            async with there.signed_in(claims_of(ADA), role="anon"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await there.conn.execute(f"SELECT 1 FROM {table}".encode())


async def test_a_person_who_is_removed_reads_nothing_from_then_on(empty_database: Database) -> None:
    async with teams(empty_database) as there:
        await there.run("UPDATE user_profiles SET allowlisted = false WHERE sub = %s", ADA)
        async with there.signed_in(claims_of(ADA)):
            assert set((await there.counts()).values()) == {0}


async def test_a_campaign_that_was_deleted_is_gone_with_everything_in_it(empty_database: Database) -> None:
    async with teams(empty_database) as there:
        await there.run("UPDATE campaigns SET deleted_at = now() WHERE id = %s", there.campaigns[ADA])
        async with there.signed_in(claims_of(ADA)):
            seen = await there.counts()
            assert (seen["campaigns"], seen["contacts"], seen["incidents"]) == (0, 0, 0)
            assert await there.run("SELECT id FROM calls") == []
