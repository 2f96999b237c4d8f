"""What is printed shows no phone number, no secret and no row, whoever prints it."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.log import mask, mask_text

PHONES = [
    "+12025550143",
    "+1 202 555 0143",
    "(202) 555-0143",
    "202.555.0143",
    "%2B12025550143",
    "%2B1%20202%20555%200143",
]
TOKEN = "al_" + "x" * 40
SCRIPT = """
import asyncio, logging, warnings, sys
from autolynx.log import configure_logging, log
configure_logging("info", as_json=True)
log.info("ours", text="call +12025550143", deep={"numbers": ["+12025550143"], "api_key": "hidden-secret"})
logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "1.2.3.4", "GET", "/?q=Ada+Marker", "1.1", 200)
logging.getLogger("uvicorn.error").error("broke at GET /?q=Ada+Marker for +12025550143")
logging.getLogger("httpx").info("HTTP Request: GET https://x.example/call?phone=%2B12025550143")
logging.getLogger("else").warning("of another: %s", "+1 (202) 555-0143")
warnings.warn("of Python: +12025550143")
try:
    raise ValueError("Failing row: +12025550143\\nDETAIL:  Failing row contains (Ada Marker, 1).")
except ValueError:
    logging.getLogger("else").exception("with a traceback")
async def lost():
    raise RuntimeError("of a task: +12025550143")
async def main():
    task = asyncio.create_task(lost())
    await asyncio.sleep(0)
    del task
    import gc; gc.collect()
asyncio.run(main())
raise RuntimeError("of a program that broke: +12025550143, Bearer hidden-secret")
"""


@pytest.mark.parametrize("phone", PHONES)
def test_a_phone_number_keeps_two_digits_however_it_is_written(phone: str) -> None:
    assert mask_text(f"call {phone}, then") == "call ***43, then"


@given(st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True), st.text(alphabet="abc ,;:()", max_size=9))
def test_no_number_in_e164_is_ever_printed(phone: str, around: str) -> None:
    assert phone[1:] not in mask_text(f"{around}{phone}{around}")


def test_ids_stay_whole() -> None:
    assert mask_text("7b015b62-4e92-400e-8b86-827c2753e5bf") == "7b015b62-4e92-400e-8b86-827c2753e5bf"


def test_secrets_are_masked_by_key_and_by_form_at_any_depth() -> None:
    event: dict[str, Any] = {
        "event": f"Authorization: Bearer {TOKEN} and {TOKEN}",
        "session_cookie": TOKEN,
        "deep": {"list": [{"control_url": "https://c.example/control"}, "https://x.example/enter?ticket=al_1#top"]},
        "error": ValueError("+12025550143"),
        "count": 7,
    }
    shown = mask(None, "info", event)
    assert shown["event"] == "Authorization: Bearer *** and al_***"
    assert shown["session_cookie"] == "***"
    assert shown["deep"] == {"list": [{"control_url": "***"}, "https://x.example/enter?***"]}
    assert shown["error"] == "***43"
    assert shown["count"] == 7


def test_what_other_libraries_and_crashes_print_passes_the_same_mask() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 1
    for word in ("5550143", "555-0143", "Ada", "Marker", "hidden-secret"):
        assert word not in printed, printed
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    said = [entry["event"] for entry in told]
    assert said[0] == "ours"
    assert "broke at GET /?*** for ***43" in said
    assert "of another: +1 (***43" in said or "of another: ***43" in said
    assert any("of Python" in event for event in said)
    assert any("ValueError" in entry.get("exception", "") for entry in told)
    assert any("Task exception was never retrieved" in event for event in said)
    assert "RuntimeError: of a program that broke: ***43" in done.stderr
    assert not any("HTTP Request" in event for event in said)
    assert not any("1.2.3.4" in event for event in said)


def test_the_handler_is_installed_once() -> None:
    before = len(logging.getLogger().handlers)
    code = (
        "from autolynx.log import configure_logging as c; import logging\nfor _ in range(3): c('info', as_json=True)\n"
    )
    code += "print(len(logging.getLogger().handlers))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert len(logging.getLogger().handlers) == before
