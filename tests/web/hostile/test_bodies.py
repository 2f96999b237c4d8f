"""Bodies that are too large or too deep, and files whose names are weapons."""

from typing import Any

import pytest

from autolynx.store.database import Database
from autolynx.web.bodies import MOST_BODY_BYTES
from tests.support.engine import make_campaign
from tests.support.signed_in import sign_in
from tests.support.web import problem, rows, running_web

pytestmark = pytest.mark.anyio

JSON_TYPE = {"Content-Type": "application/json"}
LIST = "name,business_name,phone\nAda,Acme,+12025550143\n"
ROUTES = ("/api/assistants", "/api/campaigns/plan", "/api/tokens", "/api/uploads/parts", "/api/assistants/import")


async def in_pieces(raw: bytes) -> Any:
    """A body that does not say its length."""
    for start in range(0, len(raw), 65536):
        yield raw[start : start + 65536]


@pytest.mark.parametrize("address", ROUTES)
async def test_json_larger_than_any_that_is_wanted_is_a_413_before_it_is_read(database: Database, address: str) -> None:
    raw = b'{"name": "' + b"x" * MOST_BODY_BYTES + b'"}'
    async with running_web(database) as web:
        told = problem(await web.client.post(address, content=raw, headers=JSON_TYPE), 413, "PAYLOAD_TOO_LARGE")
        assert told["details"] == {"limitBytes": MOST_BODY_BYTES}
        problem(await web.client.post(address, content=in_pieces(raw), headers=JSON_TYPE), 413, "PAYLOAD_TOO_LARGE")


async def test_a_page_refuses_a_form_that_is_too_large_by_a_sentence(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await browser.post("/assistants/new", content=b"name=" + b"x" * MOST_BODY_BYTES, headers=form)
        assert answer.status_code == 413
        assert "The body is larger than 1,048,576 bytes." in answer.text


START = "/api/campaigns/9f1c1f1e-2a55-4e4e-9d7a-0c5b8f5b7e11/start"
DEEP = [
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b"." * 90_000,
    b'{"config":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
]


@pytest.mark.parametrize("address", [*ROUTES, START, "/api/scheduler/tick"])
@pytest.mark.parametrize("raw", DEEP, ids=["objects", "lists", "inside"])
async def test_json_deeper_than_any_that_is_wanted_is_a_400(database: Database, address: str, raw: bytes) -> None:
    async with running_web(database) as web:
        answer = await web.client.post(address, content=raw, headers=JSON_TYPE)
        assert answer.status_code in {400, 413}, answer.text
        assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("raw", [raw.decode() for raw in DEEP], ids=["objects", "lists", "inside"])
async def test_deep_json_typed_into_a_form_is_a_sentence_and_no_crash(database: Database, raw: str) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        fields = {"name": "Riley", "advanced": raw, "config": raw, "tools": raw}
        answer = await browser.post("/assistants/new", data=fields)
        assert answer.status_code < 500


NAMES = [
    '"; filename="evil.exe',
    "a.csv\r\nSet-Cookie: autolynx_session=x",
    "a\x00b.csv",
    "\N{RIGHT-TO-LEFT OVERRIDE}vsc.exe",
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "C:\\evil.csv",
    "." * 90,
    "\N{GRINNING FACE}.csv",
    "%2e%2e%2f%2e%2e%2fetc",
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_campaign_named_like_a_header_injects_nothing_into_its_export(database: Database, name: str) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1, name=name.replace("\x00", ""))
        answer = await web.client.get(f"/api/campaigns/{campaign_id}/export.csv")
        assert answer.status_code == 200
        assert answer.headers.get("set-cookie") is None
        told = answer.headers["content-disposition"]
        before, _, rest = told.partition('filename="')
        assert before == "attachment; "
        stem = rest.removesuffix('.csv"')
        assert rest.endswith('.csv"')
        assert stem
        assert stem.isprintable()
        assert not set(stem) & set('"\\/\r\n;%:')
        assert not stem.startswith(".")


@pytest.mark.parametrize("name", [*NAMES, "folder/list.csv"])
async def test_the_name_of_an_upload_is_a_label_and_never_a_path(database: Database, name: str) -> None:
    async with running_web(database) as web:
        begun = await web.client.post("/api/uploads/parts", json={"fileName": name[:255]})
        if begun.status_code == 400:
            return
        (kept,) = await rows(database, "SELECT file_name FROM uploads")
        assert kept["file_name"]
        assert not set(kept["file_name"]) & set("/\\\r\n\x00")
        assert kept["file_name"].isprintable()


async def test_a_form_whose_file_bears_a_path_is_kept_by_its_last_part(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.client.post("/api/uploads", files={"file": ("../../secret/list.csv", LIST.encode())})
        assert answer.json()["fileName"] == "list.csv"
        upload_id = answer.json()["uploadId"]
        errors = await web.client.get(f"/api/uploads/{upload_id}/errors.csv")
        assert errors.headers["content-disposition"] == f'attachment; filename="errors-{upload_id}.csv"'


@pytest.mark.parametrize(
    "path", ["/assets/../outer.py", "/assets/..%2fouter.py", "/assets/%2e%2e/auth.py", "/assets//etc/passwd"]
)
async def test_no_file_outside_of_the_assets_is_served(database: Database, path: str) -> None:
    async with running_web(database) as web:
        answer = await web.client.get(f"http://localhost{path}")
        assert answer.status_code == 404
        assert "import" not in answer.text


WORDS = [
    "'; DROP TABLE calls; --",
    "' OR '1'='1",
    "%",
    "_",
    "\\",
    "%%s",
    "%(x)s",
    "{}",
    "a' UNION SELECT 1 --",
    "\N{RIGHT SINGLE QUOTATION MARK}",
]


@pytest.mark.parametrize("word", WORDS)
async def test_metacharacters_are_searched_for_and_never_run(database: Database, word: str) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3, name="Spring")
        browser = await sign_in(web)
        for address, name, found in (
            ("/api/campaigns", "search", "campaigns"),
            (f"/api/campaigns/{campaign_id}/contacts", "search", "contacts"),
            ("/api/assistants", "q", "assistants"),
        ):
            answer = await web.client.get(address, params={name: word})
            assert answer.status_code == 200, answer.text
            assert answer.json()[found] == []
        for address, name in (("/", "q"), (f"/campaigns/{campaign_id}", "q"), ("/assistants", "q")):
            assert (await browser.get(address, params={name: word})).status_code == 200
        assert len(await rows(database, "SELECT id FROM contacts")) == 3


@pytest.mark.parametrize("word", ["name; DROP TABLE calls", "(SELECT 1)", "name DESC, id", "1", "'", "createdAt--"])
async def test_what_to_sort_by_is_chosen_from_a_list(database: Database, word: str) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        browser = await sign_in(web)
        for address in ("/api/campaigns", f"/api/campaigns/{campaign_id}/contacts"):
            for name in ("sort", "order"):
                problem(await web.client.get(address, params={name: word}), 400, "VALIDATION_ERROR")
        for address in ("/", f"/campaigns/{campaign_id}"):
            assert (await browser.get(address, params={"sort": word})).status_code == 200
