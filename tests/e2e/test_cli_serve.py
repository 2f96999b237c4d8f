import re
import socket

import anyio
import psycopg
import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.store.database import Database
from tests.support.command import Console, Running, wait_until, write_contacts
from tests.support.engine import free_port, make_campaign, make_runtime, settings_for_test
from tests.support.sim import TWILIO_MAIN, running_sim

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
SPEED = 40


@pytest.fixture
def port() -> int:
    return free_port()


def served(console: Console, port: int, sim_url: str) -> Console:
    console.variables.update(
        {
            "VAPI_API_KEY": "a-key-of-this-test",
            "VAPI_BASE_URL": sim_url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "WEBHOOK_SHARED_SECRET": "a-webhook-secret-of-this-test",
            "CRON_SHARED_SECRET": "a-cron-secret-of-this-test",
            "TIME_SCALE": str(SPEED),
            "LAUNCH_PER_SECOND": "0",
            "LOG_LEVEL": "error",
        }
    )
    return console


def count_done(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT coalesce(sum(done), 0) FROM campaign_counters").fetchone()
    return int(row[0]) if row else 0


async def wait(is_so: object) -> None:
    await anyio.to_thread.run_sync(lambda: wait_until(is_so))  # type: ignore[arg-type]


async def ready(server: Running) -> None:
    await anyio.to_thread.run_sync(lambda: server.wait_for("AutoLynx listens on"))


async def test_a_server_killed_in_the_middle_goes_on_where_it_stood(
    console: Console, database: Database, database_url: str, port: int
) -> None:
    async with running_sim("--webhook-auth", "none", speed=SPEED) as sim:
        served(console, port, sim.url)
        campaign_id = await make_campaign(database, contacts=40)
        runtime = make_runtime(database, sim.url, settings=settings_for_test())
        await start_campaign(runtime, campaign_id)
        await runtime.provider.close()
        with console.running("serve", "--port", str(port)) as first:
            await ready(first)
            await wait(lambda: count_done(database_url) >= 10)
            first.kill()
        with console.running("serve", "--port", str(port)) as second:
            await ready(second)
            await wait(lambda: count_done(database_url) == 40)
            second.process.terminate()
            assert await anyio.to_thread.run_sync(lambda: second.process.wait(20)) == 0
        summary = await sim.summary()
        ledger = await sim.ledger()
    dialled = [dial["number"] for dial in ledger["dials"]]
    assert len(dialled) == len(set(dialled)) == 40, summary


async def test_doctor_is_content_with_a_complete_set_up_and_names_what_is_missing(console: Console, port: int) -> None:
    bare = console.run("doctor")
    assert bare.returncode == 1
    assert "MEND  provider: VAPI_API_KEY is not set." in bare.stdout
    assert "MEND  WEBHOOK_SHARED_SECRET: not set" in bare.stdout
    async with running_sim(speed=SPEED) as sim:
        served(console, port, sim.url)
        with console.running("serve", "--port", str(port)) as server:
            await ready(server)
            healthy = await anyio.to_thread.run_sync(lambda: console.run("doctor"))
    assert healthy.returncode == 0, healthy.stdout
    assert "MEND" not in healthy.stdout
    assert "answers and refuses strangers" in healthy.stdout
    console.variables["TIME_SCALE"] = "soon"
    wrong = console.run("doctor")
    assert wrong.returncode == 1
    assert "TIME_SCALE" in wrong.stdout


def test_tokens_are_made_listed_and_revoked(console: Console) -> None:
    made = console.run("token", "create", "reports")
    assert re.fullmatch(r"al_\S+", made.stdout.strip())
    listed = console.run("token", "list").stdout
    assert "reports" in listed
    assert made.stdout.strip() not in listed
    assert console.run("token", "revoke", "reports").returncode == 0
    assert "reports" not in console.run("token", "list").stdout
    unknown = console.run("token", "revoke", "reports")
    assert unknown.returncode == 2
    assert "There is no such token" in unknown.stderr


def test_migrate_applies_what_is_missing_once(bare_console: Console, empty_database_url: str) -> None:
    bare_console.variables["DATABASE_URL"] = empty_database_url
    assert bare_console.run("migrate").stdout.startswith("Applied ")
    assert bare_console.run("migrate").stdout == "The database is up to date.\n"


def test_a_tick_says_what_it_did_and_a_server_needs_a_key(console: Console) -> None:
    without_key = console.run("serve", "--port", "0")
    assert without_key.returncode == 2
    assert "VAPI_API_KEY is not set" in without_key.stderr
    console.variables.update({"VAPI_API_KEY": "a-key", "VAPI_BASE_URL": "http://127.0.0.1:9"})
    assert console.run("tick").stdout.startswith("0 call(s) placed in 0 campaign(s)")


def test_hold_and_release_are_the_red_button(console: Console, database_url: str) -> None:
    assert console.run("hold", "--reason", "Wrong list.").returncode == 0
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT held_at IS NOT NULL, hold_reason FROM gate").fetchone() == (True, "Wrong list.")
    assert console.run("release").returncode == 0
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT held_at FROM gate").fetchone() == (None,)


async def test_with_a_key_a_run_serves_its_own_webhooks_and_asks_who_shall_speak(console: Console, port: int) -> None:
    async with running_sim(speed=SPEED) as sim:
        served(console, port, sim.url)
        for name in ("PUBLIC_URL", "WEBHOOK_SHARED_SECRET"):
            del console.variables[name]
        write_contacts(console.folder / "contacts.csv", 4)
        run = ("run", "contacts.csv", "--port", str(port))
        unclear = await anyio.to_thread.run_sync(lambda: console.run(*run))
        assert unclear.returncode == 2
        assert "--assistant: say which assistant shall speak." in unclear.stderr
        chosen = (*run, "--assistant", "Riley - short pitch", "--phone-number", TWILIO_MAIN)
        done = await anyio.to_thread.run_sync(lambda: console.run(*chosen))
        assert done.returncode == 0, done.stdout + done.stderr
        assert (await sim.summary())["dials"] == 4
    assert "simulated" not in done.stdout
    with psycopg.connect(console.variables["DATABASE_URL"]) as conn:
        row = conn.execute("SELECT count(*) FROM call_events WHERE source = 'webhook'").fetchone()
    assert row
    assert row[0] >= 4


def test_a_port_that_is_taken_is_named(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = console.run("run", "contacts.csv", "--port", str(port))
    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
