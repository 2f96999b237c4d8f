import urllib.error
import urllib.request

import pytest

from tests.support.command import Console, Running, wait_until
from tests.support.engine import free_port

pytestmark = pytest.mark.e2e
FUNCTION = {"RUNTIME": "function", "VAPI_API_KEY": "a-key-of-this-test", "VAPI_BASE_URL": "http://127.0.0.1:9"}


def answers(port: int, path: str = "/") -> int | None:
    """Return the status of an answer, None while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (urllib.error.URLError, ConnectionError):
        return None


def wait_for_port(running: Running, port: int) -> None:
    wait_until(lambda: answers(port) is not None or running.process.poll() is not None)


@pytest.mark.parametrize("lifespan", ["on", "off"])
def test_a_function_answers_with_the_lifespan_protocol_and_without(console: Console, lifespan: str) -> None:
    console.variables.update(FUNCTION)
    port = free_port()
    command = ("autolynx.asgi:app", "--port", str(port), "--lifespan", lifespan)
    with console.running(*command, module="uvicorn") as running:
        wait_for_port(running, port)
        assert answers(port) == 401, running.output
        assert answers(port, "/assets/app.css") == 200
        running.interrupt()
        assert running.process.wait(20) == 0
    assert lifespan == "off" or "Traceback" not in running.output  # without it nobody tells us to close


def test_a_server_that_cannot_start_says_why_and_ends(console: Console) -> None:
    console.variables["TIME_SCALE"] = "soon"
    command = ("autolynx.asgi:app", "--port", str(free_port()), "--lifespan", "on")
    with console.running(*command, module="uvicorn") as running:
        assert running.process.wait(20) == 3
    assert "TIME_SCALE" in running.output


def test_a_function_that_cannot_start_answers_503_and_tries_again(console: Console) -> None:
    console.variables.update({**FUNCTION, "TIME_SCALE": "soon"})
    port = free_port()
    command = ("autolynx.asgi:app", "--port", str(port), "--lifespan", "off")
    with console.running(*command, module="uvicorn") as running:
        wait_for_port(running, port)
        assert [answers(port), answers(port)] == [503, 503]
    assert "TIME_SCALE" in running.output
