"""The page of a new campaign: a list, the rest, a plan, and the button."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from autolynx.store.database import Database
from tests.support.campaign_rows import add_assistant, add_call, make_campaign
from tests.support.sim import TWILIO_MAIN, running_sim
from tests.support.web import START, Web, moved_clock, rows, running_web

pytestmark = pytest.mark.anyio

NEW = "/campaigns/new"
CSV = (
    "name,business_name,phone,city\n"
    "Ada,Acme,(202) 555-0143,Springfield\n"
    "Bob,<b>Bold</b>,202-555-0144,Köln\n"
    "Bob again,Bold,+1 202 555 0144,\n"
    "Eve,Even,12,\n"
)
PROMPT = (
    '{"firstMessage": "Hi {{name}} from {{ city }}!", "model": {"messages": [{"role": "system", '
    '"content": "Offer {{discount}}. <script>"}]}}'
)


async def upload(web: Web, csv: str = CSV, **values: str) -> str:
    answer = await web.client.post("/api/uploads", files={"file": ("spring list.csv", csv, "text/csv")}, data=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["uploadId"])


async def shown(web: Web, **values: Any) -> str:
    answer = await web.client.get(NEW, params=values)
    assert answer.status_code == 200, answer.text
    return answer.text


async def sent(web: Web, **values: Any) -> httpx.Response:
    chosen = {"shown": "1", "watch": "on", "number": TWILIO_MAIN, "attempts": "1", "minutes": "60", **values}
    return await web.client.post(NEW, data=chosen, headers={"HX-Request": "true"})


async def test_without_assistant_an_operator_is_told_what_to_do(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        text = await shown(web)
        assert "There is no active assistant yet." in text
        assert 'href="/assistants"' in text
        assert "Drop a CSV here" in text


async def test_where_the_provider_cannot_be_asked_the_known_numbers_are_offered(database: Database) -> None:
    async with running_web(database) as web:
        assert "cannot be asked for its phone numbers right now. Reload in a moment." in await shown(web)
        await rows(
            database,
            """INSERT INTO phone_numbers (id, label, provider, seen_at) VALUES ('n1', 'Main line', 'vapi', %s)
               RETURNING id""",
            START,
        )
        text = await shown(web)
        assert '<option value="n1" selected>Main line</option>' in text
        assert "these are the ones known here" in text


async def test_an_upload_is_shown_with_its_problems_columns_and_first_rows(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        upload_id = await upload(web)
        text = await shown(web, upload=upload_id)
        assert "spring list.csv" in text
        assert "1 row has a problem" in text
        assert "Phone is too short" in text
        assert f'href="/api/uploads/{upload_id}/errors.csv"' in text
        assert "variable <code>{{city}}</code>" in text
        assert "&lt;b&gt;Bold&lt;/b&gt;" in text
        assert "<b>2</b> contacts are called" in text
        assert "1 row repeats a number" in text
        assert await rows(database, "SELECT id FROM campaigns") == []


async def test_an_upload_that_is_gone_is_said_and_the_rest_stays(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        text = await shown(web, upload=str(uuid4()), name="Spring <3")
        assert "The uploaded list is gone: it is kept for 24 hours." in text
        assert 'value="Spring &lt;3"' in text
        assert "Drop a CSV here" in text


async def test_everything_chosen_stands_in_the_address(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        other = await add_assistant(database, name="Riley")
        text = await shown(
            web, shown="1", name="Spring", assistant=str(other), number=TWILIO_MAIN, mode="batch", cap="3",
            attempts="2", minutes="90", quiet="on", begin="canary", canary="7",
        )  # fmt: skip
        for part in (
            'value="Spring"',
            f'<option value="{other}" selected>',
            f'<option value="{TWILIO_MAIN}" selected>',
            'value="batch" checked',
            'name="quiet" value="on" checked',
            'value="canary" checked',
            'max="100" value="7"',
        ):
            assert part in text
        assert 'name="watch" value="on">' in text  # switched off: the form was sent without it
        assert 'name="watch" value="on" checked>' in await shown(web)
        assert f'<option value="{assistant_id}" selected>' not in text


async def test_the_only_assistant_is_chosen_already(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        await add_assistant(database, name="Off", active=False)
        await add_assistant(database, name="Template", source="template")
        text = await shown(web)
        assert f'<option value="{assistant_id}" selected>Morgan</option>' in text
        assert "Template</option>" not in text
        assert "Off</option>" not in text


async def test_what_the_assistant_says_is_compared_with_the_list(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        await rows(database, "UPDATE assistants SET config_json = %s::jsonb RETURNING id", PROMPT)
        text = await shown(web, upload=await upload(web), assistant=str(assistant_id))
        assert "Morgan speaks of <code>{{discount}}</code>, but the list has no such column" in text
        assert "Offer {{discount}}. &lt;script&gt;" in text


async def test_the_plan_follows_what_is_chosen(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, ACCOUNT_CONCURRENCY_CAP=4) as web:
        assistant_id = await add_assistant(database)
        values = {"shown": "1", "upload": await upload(web), "assistant": str(assistant_id)}
        one = (await web.client.get(f"{NEW}/plan", params={**values, "cap": "1"})).text
        assert "Up to 1 call at once, the cap of the campaign." in one
        many = (
            await web.client.get(f"{NEW}/plan", params={**values, "cap": "50", "begin": "canary", "canary": "1"})
        ).text
        assert "the account carries no more" in many
        assert "First 1 contact is called, then it waits for you." in many
        assert 'id="assistant-look"' in many
        looked = re.search(r'name="looked" value="([^"]*)"', many)
        assert looked
        again = (await web.client.get(f"{NEW}/plan", params={**values, "looked": looked[1]})).text
        assert 'id="assistant-look"' not in again  # one that was opened stays open
        odd = await web.client.get(f"{NEW}/plan", params={**values, "cap": "many", "upload": "x", "assistant": "y"})
        assert odd.status_code == 200


async def test_create_and_start_leads_to_the_campaign(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        answer = await sent(
            web, upload=await upload(web), assistant=str(assistant_id), name="Spring", begin="start", quiet="on"
        )
        assert answer.status_code == 200, answer.text
        (made,) = await rows(database, "SELECT id, name, status, cap, options_json, hold_position FROM campaigns")
        assert answer.headers["HX-Redirect"] == f"/campaigns/{made['id']}"
        assert (made["name"], made["cap"], made["hold_position"]) == ("Spring", 8, None)
        assert made["status"] != "CREATED"
        options = {name: made["options_json"][name] for name in ("lineQuiet", "pauseOnFailures", "maxAttempts")}
        assert options == {"lineQuiet": True, "pauseOnFailures": True, "maxAttempts": 1}


async def test_a_canary_and_only_creating_it(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = str(await add_assistant(database))
        await sent(web, upload=await upload(web), assistant=assistant_id, name="A", begin="canary", canary="1")
        other = CSV.replace("0143", "0153").replace("0144", "0154")
        await sent(web, upload=await upload(web, other), assistant=assistant_id, name="B", begin="create", watch="")
        made = await rows(database, "SELECT status, options_json, hold_position FROM campaigns ORDER BY name")
        assert made[0]["options_json"]["canary"] == 1
        assert made[1]["status"] == "CREATED"
        assert made[1]["options_json"]["pauseOnFailures"] is False


async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        await add_assistant(database)
        answer = await sent(
            web, upload="", assistant="", number="", name="Keep me", cap="51", attempts="2", minutes="x", canary="0",
            begin="canary",
        )  # fmt: skip
        assert answer.status_code == 400
        for field, sentence in (
            ("file", "Choose the list to call"),
            ("assistant", "Choose the assistant that speaks."),
            ("number", "Choose the phone number to call from."),
            ("cap", "Must be from 1 to 50."),
            ("minutes", "Must be from 1 to 10,080."),
            ("canary", "Must be from 1 to 100."),
        ):
            assert re.search(f'id="{field}-problem"[^>]*>{sentence}', answer.text), field
        assert 'value="Keep me"' in answer.text
        assert re.search(r'id="cap"[^>]*value="51"[^>]*aria-invalid="true"', answer.text)


async def test_a_taken_name_is_answered_with_one_that_is_free(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = str(await add_assistant(database))
        await make_campaign(database, contacts=1, name="Spring")
        answer = await sent(web, upload=await upload(web), assistant=assistant_id, name="spring")
        assert answer.status_code == 409
        assert 'data-fills="name" data-value="spring 2"' in answer.text
        assert len(await rows(database, "SELECT id FROM campaigns")) == 1


async def test_the_same_list_twice_needs_a_deliberate_choice(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = str(await add_assistant(database))
        await sent(web, upload=await upload(web), assistant=assistant_id, name="First", begin="create")
        second = await upload(web)
        text = await shown(web, upload=second)
        assert "This very file was loaded before" in text
        assert "Load it again, I mean it" in text
        refused = await sent(web, upload=second, assistant=assistant_id, name="Second", begin="create")
        assert refused.status_code == 409
        assert 'id="again-problem"' in refused.text
        taken = await sent(web, upload=second, assistant=assistant_id, name="Second", begin="create", again="on")
        assert "HX-Redirect" in taken.headers


async def test_numbers_called_lately_are_left_out_or_called_as_chosen(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, clock=moved_clock()) as web:
        assistant_id = str(await add_assistant(database))
        old = await make_campaign(database, contacts=1)
        await add_call(database, old, 0, dial_started_at=START - timedelta(days=3))
        await rows(database, "UPDATE contacts SET phone = '+12025550143' RETURNING id")
        upload_id = await upload(web)
        text = await shown(web, upload=upload_id)
        assert "1 number was called in the last 30 days." in text
        assert "<b>1</b> contact is called" in text
        assert "<b>2</b> contacts are called" in await shown(web, upload=upload_id, lately="call")
        await sent(web, upload=upload_id, assistant=assistant_id, name="All", begin="create", lately="call")
        (made,) = await rows(database, "SELECT total_contacts FROM campaigns WHERE name = 'All'")
        assert made["total_contacts"] == 2


async def test_the_page_tells_the_browser_the_servers_own_words_and_whether_to_send_parts(database: Database) -> None:
    async with running_web(database, MAX_UPLOAD_BYTES=2 * 1024 * 1024) as web:
        text = await shown(web)
        assert 'data-limit="2097152"' in text
        assert 'data-too-large="The file is larger than 2 MB; split it into several files."' in text
        assert 'data-empty="The file is empty; choose a CSV with contacts."' in text
        assert "an Excel workbook or a zip archive, not a CSV; save it as CSV UTF-8 and upload that." in text
        assert 'data-part-bytes="0"' in text
    async with running_web(database, is_function=True) as web:
        assert 'data-part-bytes="4000000"' in await shown(web)
