"""CSV files over HTTP: as a form, bare, gzip, in parts; and the same wish twice."""

import asyncio
import gzip
from typing import Any
from uuid import uuid4

import httpx
import pytest

from autolynx.flows.access import create_token
from autolynx.store.database import Database
from tests.support.web import Web, problem, rows, running_web

pytestmark = pytest.mark.anyio

CSV = (
    "name,business_name,phone,city\n"
    "Ada,Acme,202-555-0143,Oslo\n"
    "Bob,Bolt,+1 202 555 0144,Rome\n"
    "Cem,Coop,(202) 555-0143,Bonn\n"
    "Dee,Dunn,12345,Kyiv\n"
    ",Echo,202-555-0145,Lima\n"
)
UPLOADS = "/api/uploads"


def _check(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    report = body["report"]
    assert (report["totalRows"], report["accepted"], report["duplicates"], report["skippedRows"]) == (5, 2, 1, 2)
    assert [one["row"] for one in report["skipped"]] == [5, 6]
    assert [(one["row"], one["firstRow"]) for one in report["duplicateRows"]] == [(4, 2)]
    assert body["status"] == "ready"
    assert [one["phone"] for one in body["preview"]["rows"]] == ["+12025550143", "+12025550144"]
    return body


async def test_a_form_a_bare_body_and_gzip_of_both_come_to_the_same(database: Database) -> None:
    raw = CSV.encode()
    async with running_web(database) as web:
        _check(await web.client.post(UPLOADS, files={"file": ("list.csv", raw, "text/csv")}))
        _check(await web.client.post(UPLOADS, files={"contactsCsv": ("list.csv.gz", gzip.compress(raw))}))
        _check(await web.client.post(UPLOADS, content=raw, headers={"Content-Type": "text/csv"}))
        named = {"Content-Type": "application/gzip", "Content-Disposition": 'attachment; filename="a list.csv"'}
        bare = _check(await web.client.post(UPLOADS, content=gzip.compress(raw), headers=named))
        assert bare["fileName"] == "a list.csv"
        shown = (await web.client.get(f"{UPLOADS}/{bare['uploadId']}")).json()
        assert shown == bare


async def test_the_region_comes_from_the_form_or_the_address(database: Database) -> None:
    raw = b"name,business_name,phone\nAda,Acme,020 7946 0958\n"
    async with running_web(database) as web:
        for answer in (
            await web.client.post(UPLOADS, files={"file": ("a.csv", raw)}, data={"region": "gb"}),
            await web.client.post(UPLOADS, params={"region": "GB"}, content=raw),
        ):
            assert answer.json()["preview"]["rows"][0]["phone"] == "+442079460958"
        refused = await web.client.post(UPLOADS, content=raw, params={"region": "XX"})
        assert problem(refused, 400, "VALIDATION_ERROR")["details"]["field"] == "region"


async def test_the_rows_to_be_mended_come_back_as_csv(database: Database) -> None:
    async with running_web(database) as web:
        made = _check(await web.client.post(UPLOADS, content=CSV.encode()))
        errors = await web.client.get(f"{UPLOADS}/{made['uploadId']}/errors.csv")
        assert errors.headers["Content-Type"].startswith("text/csv")
        assert "attachment" in errors.headers["Content-Disposition"]
        assert "Dee" in errors.text
        assert "Echo" in errors.text
        assert "Ada" not in errors.text
        problem(await web.client.get(f"{UPLOADS}/{uuid4()}/errors.csv"), 404, "NOT_FOUND")
        problem(await web.client.get(f"{UPLOADS}/{uuid4()}"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "empty"),
        (b"name,phone\nAda,2025550143\n", "business_name"),
        (b"PK\x03\x04 not a csv", ""),
        (b"\x1f\x8b broken gzip", ""),
    ],
)
async def test_a_file_that_is_no_list_is_a_400_and_leaves_nothing(database: Database, raw: bytes, word: str) -> None:
    async with running_web(database) as web:
        for answer in (
            await web.client.post(UPLOADS, content=raw),
            await web.client.post(UPLOADS, files={"file": ("a.csv", raw)}),
        ):
            assert word in problem(answer, 400, "VALIDATION_ERROR")["message"]
        assert await rows(database, "SELECT 1 AS one FROM uploads") == []


async def test_a_form_without_its_file_or_with_a_strange_one_is_a_400(database: Database) -> None:
    async with running_web(database) as web:
        strange = await web.client.post(UPLOADS, files={"photo": ("a.csv", b"x")})
        assert problem(strange, 400, "VALIDATION_ERROR")["details"]["field"] == "photo"
        two = [("file", ("a.csv", CSV.encode())), ("file", ("b.csv", CSV.encode()))]
        assert (
            "Too many files" in problem(await web.client.post(UPLOADS, files=two), 400, "VALIDATION_ERROR")["message"]
        )
        plain = {"Content-Type": "multipart/form-data; boundary=x"}
        nothing = b'--x\r\nContent-Disposition: form-data; name="region"\r\n\r\nUS\r\n--x--\r\n'
        missing = await web.client.post(UPLOADS, content=nothing, headers=plain)
        assert problem(missing, 400, "VALIDATION_ERROR")["details"]["field"] == "file"
        for raw in (b"", b"--x", b"nonsense", b"--x\r\n\r\n\r\n--x--"):
            problem(await web.client.post(UPLOADS, content=raw, headers=plain), 400, "VALIDATION_ERROR")
        unbound = {"Content-Type": "multipart/form-data"}
        problem(await web.client.post(UPLOADS, content=b"--x", headers=unbound), 400, "VALIDATION_ERROR")


async def test_a_file_over_the_limit_is_a_413_in_every_way(database: Database) -> None:
    raw = CSV.encode() + b"x" * 5000
    bomb = gzip.compress(b"name,business_name,phone\n" + b" " * 1_000_000)
    async with running_web(database, MAX_UPLOAD_BYTES=4096) as web:
        for body in (raw, bomb):
            bare = await web.client.post(UPLOADS, content=body)
            assert problem(bare, 413, "PAYLOAD_TOO_LARGE")["details"]["setting"] == "MAX_UPLOAD_BYTES"
            problem(await web.client.post(UPLOADS, files={"file": ("a.csv", body)}), 413, "PAYLOAD_TOO_LARGE")
        begun = (await web.client.post(f"{UPLOADS}/parts")).json()
        part = await web.client.put(f"{UPLOADS}/{begun['uploadId']}/parts/1", content=raw)
        problem(part, 413, "PAYLOAD_TOO_LARGE")


async def test_parts_arrive_in_any_order_and_twice(database: Database) -> None:
    raw = gzip.compress(CSV.encode())
    async with running_web(database) as web:
        begun = await web.client.post(f"{UPLOADS}/parts", json={"fileName": "list.csv.gz", "region": "US"})
        assert begun.status_code == 201
        address = f"{UPLOADS}/{begun.json()['uploadId']}"
        for number, part in ((2, raw[50:]), (1, raw[:50]), (2, raw[50:])):
            assert (await web.client.put(f"{address}/parts/{number}", content=part)).status_code == 204
        problem(await web.client.put(f"{address}/parts/1", content=b"other"), 409, "CONFLICT")
        problem(await web.client.put(f"{address}/parts/0", content=b"x"), 400, "VALIDATION_ERROR")
        problem(await web.client.put(f"{address}/parts/3", content=b""), 400, "VALIDATION_ERROR")
        problem(await web.client.post(f"{address}/finish", json={"parts": 3}), 409, "CONFLICT")
        finished = await web.client.post(f"{address}/finish", json={"parts": 2})
        assert finished.status_code == 200
        assert finished.json()["report"]["accepted"] == 2
        assert (await web.client.post(f"{address}/finish", json={"parts": 2})).json() == finished.json()


async def test_in_a_function_a_file_is_judged_within_its_budget(database: Database) -> None:
    async with running_web(database, is_function=True) as web:
        _check(await web.client.post(UPLOADS, content=CSV.encode()))


async def test_the_same_wish_twice_is_one_upload_and_one_answer(database: Database) -> None:
    async with running_web(database) as web:
        key = {"Idempotency-Key": "wish-1"}
        first = await web.client.post(UPLOADS, files={"file": ("a.csv", CSV.encode())}, headers=key)
        _check(first)
        again = await web.client.post(UPLOADS, files={"file": ("a.csv", CSV.encode())}, headers=key)
        assert (again.status_code, again.json()) == (201, first.json())
        assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)
        other = await web.client.post(UPLOADS, files={"file": ("a.csv", CSV.encode() + b"\n")}, headers=key)
        problem(other, 409, "CONFLICT")
        assert len(await rows(database, "SELECT 1 AS one FROM uploads")) == 1


async def test_the_same_wish_at_the_same_time_is_done_once(database: Database) -> None:
    async with running_web(database) as web:
        key = {"Idempotency-Key": "wish-1"}

        async def post() -> httpx.Response:
            return await web.client.post(UPLOADS, content=CSV.encode(), headers=key)

        answers = await asyncio.gather(*(post() for _ in range(6)))
        done = [one for one in answers if one.status_code == 201]
        assert len({one.json()["uploadId"] for one in done}) == 1
        for busy in (one for one in answers if one.status_code != 201):
            problem(busy, 409, "CONFLICT")
            assert int(busy.headers["Retry-After"]) >= 1
        assert (await post()).json() == done[0].json()
        assert len(await rows(database, "SELECT 1 AS one FROM uploads")) == 1


async def test_a_refused_wish_gives_its_key_back(database: Database) -> None:
    async with running_web(database) as web:
        key = {"Idempotency-Key": "wish-1"}
        problem(await web.client.post(UPLOADS, content=b"not,a,list\n", headers=key), 400, "VALIDATION_ERROR")
        _check(await web.client.post(UPLOADS, content=CSV.encode(), headers=key))


async def test_keys_of_two_callers_do_not_meet(database: Database) -> None:
    async with running_web(database) as web:
        made = await create_token(web.runtime, "other")
        key = {"Idempotency-Key": "wish-1"}
        mine = _check(await web.client.post(UPLOADS, content=CSV.encode(), headers=key))
        theirs = {**key, "Authorization": f"Bearer {made.secret}"}
        other = _check(await web.stranger.post(UPLOADS, content=CSV.encode(), headers=theirs))
        assert mine["uploadId"] != other["uploadId"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_that_cannot_be_kept_is_a_400(database: Database, key: str) -> None:
    async with running_web(database) as web:
        answer = await web.client.post(UPLOADS, content=CSV.encode(), headers={"Idempotency-Key": key})
        problem(answer, 400, "VALIDATION_ERROR")


async def _peak_of_a_large_upload(web: Web) -> None:
    lines = "".join(f"Ada {n},Acme,+1{200 + n // 100 % 700}55501{n % 100:02d},Oslo\n" for n in range(70_000))
    answer = await web.client.post(UPLOADS, content=gzip.compress(("name,business_name,phone,city\n" + lines).encode()))
    assert answer.status_code == 201
    assert answer.json()["report"]["totalRows"] == 70_000


async def test_a_large_gzip_list_is_judged_whole(database: Database) -> None:
    async with running_web(database) as web:
        await _peak_of_a_large_upload(web)
