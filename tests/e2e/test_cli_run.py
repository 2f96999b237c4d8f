import csv
from pathlib import Path

import psycopg
import pytest

from tests.support.command import Console, write_contacts

pytestmark = pytest.mark.e2e
FAST = ("--speed", "100", "--port", "0")


def results(console: Console) -> list[dict[str, str]]:
    with (console.folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def counted_calls(console: Console) -> list[int]:
    """Return how often each contact was called."""
    with psycopg.connect(console.variables["DATABASE_URL"]) as conn:
        rows = conn.execute(
            """SELECT count(k.id) FILTER (WHERE k.counts_as_attempt) FROM contacts t
               LEFT JOIN calls k ON k.contact_id = t.id GROUP BY t.id"""
        ).fetchall()
    return [row[0] for row in rows]


def test_a_file_is_called_to_the_end_without_any_account(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 12)
    done = console.run("run", "contacts.csv", *FAST)
    assert done.returncode == 0, done.stderr
    assert "VAPI_API_KEY is not set: a simulated town is called" in done.stdout
    assert "12 of 12 rows accepted, 0 duplicate(s), 0 skipped." in done.stdout
    assert "is completed: 12 of 12 contacts done." in done.stdout
    assert [row["name"] for row in results(console)] == [f"Ada {number}" for number in range(12)]
    assert {row["call_status"] for row in results(console)} <= {"ENDED", "FAILED"}
    assert counted_calls(console) == [1] * 12
    assert not list(console.folder.glob("*.part"))


def test_batches_a_cap_and_another_output_are_taken(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 5)
    done = console.run("run", "contacts.csv", *FAST, "--mode", "batch", "--cap", "2", "--output", "mine.csv")
    assert done.returncode == 0, done.stderr
    assert len((console.folder / "mine.csv").read_text().splitlines()) == 6
    with psycopg.connect(console.variables["DATABASE_URL"]) as conn:
        assert conn.execute("SELECT mode::text, cap, batch_size FROM campaigns").fetchall() == [("batch", 2, 2)]


def test_a_file_that_was_dialled_before_is_refused_until_it_is_asked_for_again(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 3)
    assert console.run("run", "contacts.csv", *FAST).returncode == 0
    refused = console.run("run", "contacts.csv", *FAST)
    assert refused.returncode == 2
    assert "nobody is called twice by accident: call everybody in it again by --again" in refused.stderr
    assert counted_calls(console) == [1] * 3
    again = console.run("run", "contacts.csv", *FAST, "--again")
    assert again.returncode == 0, again.stderr
    assert counted_calls(console) == [1] * 6


def test_numbers_that_were_called_lately_are_left_out_of_another_file(console: Console) -> None:
    write_contacts(console.folder / "first.csv", 3)
    write_contacts(console.folder / "second.csv", 5)
    assert console.run("run", "first.csv", *FAST).returncode == 0
    second = console.run("run", "second.csv", *FAST)
    assert second.returncode == 0, second.stderr
    assert "3 number(s) were called in the last 30 days and are left out; --again calls them too." in second.stdout
    write_contacts(console.folder / "third.csv", 4)
    third = console.run("run", "third.csv", *FAST)
    assert third.returncode == 2
    assert "All numbers of the file were called in the last 30 days: call them again by --again." in third.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "empty"),
        ("name,phone\nAda,+1 202 555 0100\n", "business_name"),
        ("name,business_name,phone\n", "no rows"),
    ],
    ids=["an empty file", "a missing header", "no rows"],
)
def test_a_file_that_is_no_list_is_refused_in_a_sentence(console: Console, content: str, sentence: str) -> None:
    (console.folder / "contacts.csv").write_text(content)
    done = console.run("run", "contacts.csv", *FAST)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_rows_that_cannot_be_called_are_named_and_written_to_a_file_for_mending(console: Console) -> None:
    (console.folder / "contacts.csv").write_text(
        "name,business_name,phone\nAda,Acme,12\n,Acme,+1 202 555 0100\nBob,Acme,call me\n"
    )
    done = console.run("run", "contacts.csv", *FAST)
    assert done.returncode == 2
    assert "0 of 3 rows accepted, 0 duplicate(s), 3 skipped." in done.stdout
    assert "row 2: phone: " in done.stdout
    assert "row 3: name: " in done.stdout
    assert "No row of the file can be called; mend the skipped rows and run it again." in done.stderr
    assert len((console.folder / "results-errors.csv").read_text().splitlines()) == 4
    assert not (console.folder / "results.csv").exists()


def test_what_cannot_be_is_told_before_anything_starts(console: Console, tmp_path: Path) -> None:
    assert "cannot be read" in console.run("run", "missing.csv", *FAST).stderr
    write_contacts(tmp_path / "contacts.csv", 1)
    unknown = console.run("run", "contacts.csv", *FAST, "--assistant", "Nobody")
    assert unknown.returncode == 2
    assert "--assistant: there is no usable assistant of that name or id." in unknown.stderr
    assert "Riley - short pitch" in unknown.stderr
    number = console.run("run", "contacts.csv", *FAST, "--phone-number", "nothing")
    assert number.returncode == 2
    assert "--phone-number: the account has no usable phone number of that id." in number.stderr
    assert console.run("run", "contacts.csv", "--cap", "51").returncode == 2


def test_ctrl_c_pauses_and_resume_calls_the_rest(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 30)
    with console.running("run", "contacts.csv", "--speed", "40", "--port", "0") as run:
        run.wait_for("Running: ")
        run.interrupt()
        assert run.process.wait(30) == 1
        assert "is paused: " in run.output
        assert "Go on by: autolynx resume " in run.output
    assert any(row["call_status"] == "NOT_CALLED" for row in results(console))
    name = run.wait_for("Go on by: ").partition('"')[2].rpartition('"')[0]
    resumed = console.run("resume", name, *FAST)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert counted_calls(console) == [1] * 30
    over = console.run("resume", name, *FAST)
    assert over.returncode == 2
    assert "there is nothing to go on with" in over.stderr


def test_a_second_ctrl_c_leaves_at_once(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 30)
    with console.running("run", "contacts.csv", "--speed", "1", "--port", "0") as run:
        run.wait_for("Dialling: ")
        run.interrupt()
        run.wait_for("Paused: ")
        run.interrupt()
        assert run.process.wait(15) == 1


def test_a_canary_pauses_the_run_and_resume_calls_the_rest(console: Console) -> None:
    write_contacts(console.folder / "contacts.csv", 6)
    paused = console.run("run", "contacts.csv", *FAST, "--canary", "2", "--max-attempts", "2", "--retry-after", "60")
    assert paused.returncode == 1
    assert "Paused by itself: the first 2 contacts were called, as you wished." in paused.stdout
    assert sum(counted_calls(console)) == 2
    with psycopg.connect(console.variables["DATABASE_URL"]) as conn:
        ((options,),) = conn.execute("SELECT options_json FROM campaigns").fetchall()
        assert (options["maxAttempts"], options["retryAfterMinutes"], options["canary"]) == (2, 60, 2)
        assert (options["pauseOnFailures"], options["lineQuiet"]) == (True, False)
        conn.execute("UPDATE campaigns SET options_json = options_json || '{\"maxAttempts\": 1}', name = 'list'")
        conn.execute("UPDATE contacts SET state = 'done', due_at = NULL WHERE due_at IS NOT NULL")
    resumed = console.run("resume", "list", *FAST)
    assert resumed.returncode == 0, resumed.stderr
    assert counted_calls(console) == [1] * 6
