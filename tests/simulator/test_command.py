import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

Start = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the command on a free port; nothing survives the test."""
    running: list[subprocess.Popen[str]] = []

    def run(*options: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "vapisim", "--port", "0", *options]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("vapisim listening on http://127.0.0.1:"), line
        return process, line.split()[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


def test_it_says_where_it_listens_and_is_ready_then(start: Start) -> None:
    _, url = start("--speed", "50", "--seed", "3", "--scenario", "all-answer", "--concurrency-limit", "5")
    health = httpx.get(f"{url}/_sim/health").json()
    assert (health["speed"], health["seed"], health["scenario"]) == (50, 3, "all-answer")
    assert health["concurrencyLimit"] == 5


def test_it_stops_cleanly_when_told_to(start: Start) -> None:
    process, url = start()
    assert httpx.get(f"{url}/_sim/health").status_code == 200
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_it_ends_with_its_parent_when_asked_to(start: Start) -> None:
    process, _ = start("--exit-with-parent")
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_faults_and_credentials_can_be_given_at_the_start_and_survive_a_reset(start: Start) -> None:
    _, url = start(
        *("--fault", "webhook_loss=0.25", "--fault", "over_limit_mode=queue"),
        *("--fault", 'number_outcomes={"+12025550111": "busy"}'),
        *("--webhook-auth", "hmac", "--webhook-secret", "s", "--hmac-preset", "github", "--hmac", "algorithm=sha1"),
    )
    httpx.post(f"{url}/_sim/reset", json={})
    faults = httpx.get(f"{url}/_sim/faults").json()
    assert (faults["webhook_loss"], faults["over_limit_mode"]) == (0.25, "queue")
    assert faults["number_outcomes"] == {"+12025550111": "busy"}
    auth = httpx.get(f"{url}/_sim/auth").json()
    assert (auth["hmac"]["signature_header"], auth["hmac"]["algorithm"]) == ("x-hub-signature-256", "sha1")


def test_it_can_insist_on_one_key(start: Start) -> None:
    _, url = start("--api-key", "the-key")
    answers = [httpx.get(f"{url}/call", headers={"Authorization": f"Bearer {key}"}) for key in ("x", "the-key")]
    assert [answer.status_code for answer in answers] == [401, 200]


@pytest.mark.parametrize(
    "options",
    [
        ("--fault", "no_such_fault=1"),
        ("--fault", "webhook_loss=7"),
        ("--scenario", "opera"),
        ("--speed", "0"),
        ("--webhook-auth", "bearer"),
    ],
)
def test_options_that_cannot_be_understood_stop_the_start(options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "vapisim", "--port", "0", *options]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert finished.returncode == 2
    assert "error" in finished.stderr


def test_a_taken_port_is_told_plainly(start: Start) -> None:
    _, url = start()
    port = url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "vapisim", "--port", port]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert finished.returncode == 1
    assert "cannot listen" in finished.stderr


def test_help_names_every_fault_and_scenario() -> None:
    command = [sys.executable, "-m", "vapisim", "--help"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert "busy-town" in finished.stdout
    assert "drop_after_accept" in finished.stdout
