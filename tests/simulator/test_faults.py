import asyncio

import httpx
import pytest

from tests.simulator.stage import ADA, BEA, ENDLESS, SPEED, Stage
from vapisim.scenarios import SCENARIOS

pytestmark = pytest.mark.anyio


async def test_faults_can_be_read_replaced_and_changed(stage: Stage) -> None:
    await stage.faults(webhook_loss=0.5)
    changed = (await stage.client.patch("/_sim/faults", json={"http_429": True})).json()
    assert (changed["webhook_loss"], changed["http_429"]) == (0.5, 1.0)
    replaced = (await stage.client.put("/_sim/faults", json={"http_429": 0.25})).json()
    assert (replaced["webhook_loss"], replaced["http_429"]) == (0.0, 0.25)
    assert (await stage.client.get("/_sim/faults")).json() == replaced
    described = (await stage.client.get("/_sim/faults?describe=1")).json()
    assert set(described) == set(replaced)
    assert all(each["meaning"] for each in described.values())


@pytest.mark.parametrize(
    "body",
    [
        {"no_such_fault": 1},
        {"http_429": 2},
        {"webhook_delay_seconds": -1},
        {"rate_limit_per_minute": 1.5},
        {"outage": "yes"},
        {"over_limit_mode": "shout"},
        {"number_outcomes": {"+12025550111": 5}},
        {"number_outcomes": {"+12025550111": {"talk": 5}}},
        {"phone_number_status": {"x": "gone"}},
        [],
    ],
)
async def test_a_fault_that_cannot_be_understood_is_refused(stage: Stage, body: object) -> None:
    before = (await stage.client.get("/_sim/faults")).json()
    assert (await stage.client.put("/_sim/faults", json=body)).status_code == 400
    assert (await stage.client.get("/_sim/faults")).json() == before


async def test_an_error_before_acceptance_places_nothing(stage: Stage) -> None:
    await stage.faults(error_before_accept=1)
    answer = await stage.post()
    assert answer.status_code in {500, 502, 503}
    summary = await stage.summary()
    assert (summary["dials"], summary["refusedByReason"]) == (0, {"error_before_accept": 1})


async def test_an_error_after_acceptance_hides_a_call_that_goes_on(stage: Stage) -> None:
    await stage.faults(error_after_accept=1)
    answer = await stage.post()
    assert answer.status_code in {500, 502, 503}
    [dial] = (await stage.ledger())["dials"]
    assert (dial["number"], dial["answer"]) == (ADA, "error_after_accept")
    await stage.until_reported(dial["providerCallId"])


async def test_a_connection_dropped_after_acceptance_brings_no_answer_at_all(stage: Stage) -> None:
    await stage.faults(drop_after_accept=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await stage.post()
    [dial] = (await stage.ledger())["dials"]
    assert dial["answer"] == "drop_after_accept"
    listed = (await stage.client.get("/call")).json()
    assert [each["customer"]["externalId"] for each in listed] == ["a1"]


async def test_a_dropped_connection_is_really_closed_without_a_byte(stage: Stage) -> None:
    """The same on a bare socket, so that no client library stands between."""
    await stage.faults(drop_after_accept=1)
    url = httpx.URL(stage.world.state.base_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    request = stage.client.build_request("POST", "/call", json=stage.order())
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    writer.write(f"POST /call HTTP/1.1\r\n{head}\r\n".encode() + request.content)
    try:
        received = await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        received = b""
    writer.close()
    assert received == b""
    assert (await stage.summary())["dials"] == 1


async def test_a_connection_dropped_before_acceptance_places_nothing(stage: Stage) -> None:
    await stage.faults(drop_before_accept=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await stage.post()
    summary = await stage.summary()
    assert (summary["dials"], summary["refusedByReason"]) == (0, {"drop_before_accept": 1})


@pytest.mark.parametrize(("fault", "dials"), [("html_522", 0), ("html_522_after_accept", 1)])
async def test_the_proxy_answers_in_html(stage: Stage, fault: str, dials: int) -> None:
    await stage.faults(**{fault: 1})
    answer = await stage.post()
    assert answer.status_code == 522
    assert answer.headers["content-type"].startswith("text/html")
    assert (await stage.summary())["dials"] == dials


async def test_a_slow_answer_outlasts_the_patience_of_the_client(stage: Stage) -> None:
    await stage.faults(slow_answer=1, slow_answer_seconds=2 * SPEED, number_outcomes={ADA: "busy"})
    with pytest.raises(httpx.ReadTimeout):
        await stage.client.post("/call", json=stage.order(), timeout=0.2)
    [dial] = (await stage.ledger())["dials"]
    await stage.until_reported(dial["providerCallId"])


async def test_a_new_call_may_not_be_visible_yet(stage: Stage) -> None:
    await stage.faults(read_lag_seconds=0.8 * SPEED, list_lag_seconds=0.8 * SPEED)
    call_id = await stage.dial()
    assert (await stage.client.get(f"/call/{call_id}")).status_code == 404
    assert (await stage.client.get("/call")).json() == []
    await asyncio.sleep(0.85)
    assert (await stage.client.get(f"/call/{call_id}")).status_code == 200
    assert len((await stage.client.get("/call")).json()) == 1


async def test_in_an_outage_everything_is_503_but_the_stage_door(stage: Stage) -> None:
    await stage.faults(outage=True, number_outcomes={ADA: ENDLESS})
    for method, path in (("GET", "/call"), ("POST", "/call"), ("GET", "/nowhere"), ("POST", "/x/control")):
        assert (await stage.client.request(method, path)).status_code == 503
    assert (await stage.client.get("/_sim/health")).status_code == 200
    await stage.faults(outage=False)
    assert (await stage.post()).status_code == 201


async def test_reading_can_fail_while_placing_works(stage: Stage) -> None:
    await stage.faults(read_error=1)
    assert (await stage.client.get("/call")).status_code == 503
    assert (await stage.post()).status_code == 201


async def test_reset_begins_anew_with_ids_that_were_never_given_out(stage: Stage) -> None:
    await stage.faults(webhook_loss=1)
    await stage.client.post("/_sim/speed", json={"speed": 1})
    first = await stage.client.post("/_sim/concurrency-limit", json={"limit": 2})
    assert first.json()["concurrencyLimit"] == 2
    await stage.client.post("/_sim/speed", json={"speed": SPEED})
    before = await stage.dial()
    await stage.client.post("/_sim/reset", json={})
    assert (await stage.summary())["dials"] == 0
    assert (await stage.client.get("/call")).json() == []
    assert (await stage.client.get("/_sim/faults")).json()["webhook_loss"] == 0
    health = (await stage.client.get("/_sim/health")).json()
    assert (health["concurrencyLimit"], health["linesHeld"], health["speed"]) == (10, 0, SPEED)
    assert await stage.dial() != before


async def test_a_reset_wakes_whoever_waits_for_an_answer(stage: Stage) -> None:
    await stage.faults(slow_answer=1, slow_answer_seconds=1000 * SPEED)
    waiting = asyncio.create_task(stage.post())
    await stage.until(lambda: len(stage.world.ledger.dials) == 1)
    await stage.world.timers.sleep(1)
    await stage.client.post("/_sim/reset", json={})
    assert (await waiting).status_code == 201
    assert (await stage.summary())["dials"] == 0


async def test_the_speed_can_be_changed_while_calls_are_waiting(stage: Stage) -> None:
    await stage.client.post("/_sim/speed", json={"speed": 0.001})
    waiting = asyncio.create_task(stage.post(BEA))
    await stage.until(lambda: len(stage.world.ledger.dials) == 1)
    assert not waiting.done()
    assert (await stage.client.post("/_sim/speed", json={"speed": SPEED})).json() == {"speed": SPEED}
    assert (await waiting).status_code == 201
    assert (await stage.client.post("/_sim/speed", json={"speed": 0})).status_code == 400


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_every_scenario_can_be_played(stage: Stage, scenario: str) -> None:
    answer = await stage.client.post("/_sim/reset", json={"scenario": scenario})
    assert answer.json()["scenario"] == scenario
    assert (await stage.client.get("/_sim/health")).json()["scenario"] == scenario
    assert (await stage.client.post("/_sim/reset", json={"scenario": "opera"})).status_code == 400
    storm = (await stage.client.get("/_sim/faults")).json()
    assert (storm["webhook_loss"] > 0) == (scenario == "webhook-storm")


async def test_an_outage_of_the_play_comes_and_goes(stage: Stage) -> None:
    await stage.client.post("/_sim/reset", json={"scenario": "outage"})
    state = stage.world.state
    moods = [state.scenario.faults_at(at, state.standing_faults).error_before_accept > 0 for at in range(0, 480, 60)]
    assert moods == [False, True, False, False, False, True, False, False]
