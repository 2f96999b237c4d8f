"""The pages of assistants: what they show, what they change, and that nothing typed is lost."""

import html
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from autolynx.flows.assistants import seed_templates
from autolynx.store.database import Database
from autolynx.web.pages.assistant_form import filled_with
from tests.support.campaign_rows import add_assistant, change_campaign
from tests.support.directory import CONFIG, a_directory, at_provider, change_at_provider, create, delete_at_provider
from tests.support.engine import make_campaign
from tests.support.signed_in import HTMX, sign_in, text_of, words_of
from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN
from tests.support.web import rows, running_web

pytestmark = pytest.mark.anyio


def _typed(assistant: dict[str, Any], version: int | None = 1, **changes: str) -> dict[str, str]:
    """What a browser sends for the form of an assistant."""
    values = {**filled_with(assistant["name"], assistant["config"]).values, **changes}
    return values | ({"version": str(version)} if version else {})


async def _send(client: httpx.AsyncClient, path: str, **values: str) -> httpx.Response:
    return await client.post(path, data=values, headers=HTMX)


async def test_an_empty_directory_says_how_to_begin_and_offers_the_templates(database: Database) -> None:
    async with running_web(database) as web:
        await seed_templates(web.runtime)
        page = await text_of(await sign_in(web), "/assistants")
        assert "Nobody speaks for you yet" in page
        for name in ("Discovery", "Short pitch", "Voicemail-friendly"):
            assert f'Begin here<span class="unseen"> with {name}</span>' in page


async def test_the_directory_shows_use_and_filters_by_name_state_and_source(database: Database) -> None:
    async with running_web(database) as web:
        await make_campaign(database, contacts=1)
        await add_assistant(database, name="Morgan <b>x</b>", active=False)
        await seed_templates(web.runtime)
        client = await sign_in(web)
        page = await text_of(client, "/assistants")
        assert "Morgan &lt;b&gt;x&lt;/b&gt;" in page
        assert "1 campaign</a><span>1 not over</span>" in page
        assert "Discovery" not in page
        assert "Riley" not in await text_of(client, "/assistants?state=inactive")
        assert "Discovery" in await text_of(client, "/assistants?state=templates")
        assert "No assistant matches." in await text_of(client, "/assistants?source=here")
        assert "Morgan" not in await text_of(client, "/assistants?q=riley")
        assert "Riley" in await text_of(client, "/assistants?state=nonsense&source=&page=x")


async def test_a_list_is_paged_and_keeps_what_was_asked_for(database: Database) -> None:
    async with running_web(database) as web:
        for number in range(30):
            await add_assistant(database, name=f"Team {number:02}")
        client = await sign_in(web)
        first = await text_of(client, "/assistants?q=team")
        assert "1 to 25 of 30 assistants" in first
        assert 'href="/assistants?q=team&amp;page=2"' in first
        assert "26 to 30 of 30 assistants" in await text_of(client, "/assistants?q=team&page=2")


async def test_an_assistant_is_switched_in_place(database: Database) -> None:
    async with running_web(database) as web:
        assistant_id = await add_assistant(database)
        client = await sign_in(web)
        off = words_of(await _send(client, f"/assistants/{assistant_id}/deactivate"))
        assert f'hx-post="/assistants/{assistant_id}/activate" hx-swap="none" data-dismiss>Undo' in off
        assert f'hx-target="#assistant-{assistant_id}"' in off
        assert 'aria-checked="false"' in off
        on = words_of(await _send(client, f"/assistants/{assistant_id}/activate"))
        assert 'aria-checked="true"' in on
        assert 'id="test-inactive" hidden' in on
        gone = await _send(client, f"/assistants/{uuid4()}/activate")
        assert "There is no assistant of that id" in words_of(gone, 404)


async def test_settings_are_saved_at_the_provider_and_the_rest_is_kept(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        config = {**CONFIG, "metadata": {"team": "blue"}, "model": {**CONFIG["model"], "tools": [{"type": "endCall"}]}}
        made = await create(web, config=config)
        client = await sign_in(web)
        page = await text_of(client, f"/assistants/{made['id']}")
        assert "Be brief." in page
        assert '"team": "blue"' in html.unescape(page)
        typed = _typed(made, name="Robin", temperature="1.5", system_prompt="Be kind.\nBe brief.")
        saved = words_of(await client.post(f"/assistants/{made['id']}", data=typed, headers=HTMX))
        assert "Saved as version 2." in saved
        assert 'name="version" value="2"' in saved
        remote = await at_provider(sim, made["providerAssistantId"])
        assert (remote["name"], remote["metadata"]) == ("Robin", {"team": "blue"})
        assert remote["model"] == {
            **config["model"],
            "temperature": 1.5,
            "messages": [{"role": "system", "content": "Be kind.\nBe brief."}],
        }


async def test_an_untouched_form_changes_nothing(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        client = await sign_in(web)
        saved = await client.post(f"/assistants/{made['id']}", data=_typed(made), headers=HTMX)
        assert "Nothing was changed." in words_of(saved)
        (row,) = await rows(database, "SELECT count(*) AS n FROM assistant_versions")
        assert row["n"] == 1


async def test_what_is_refused_keeps_everything_typed_and_says_each_fault_beside_its_field(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        client = await sign_in(web)
        typed = _typed(
            made, name=" ", temperature="hot", first_message="Hello <you>", max_duration="1", advanced="{not json"
        )
        refused = words_of(await client.post(f"/assistants/{made['id']}", data=typed, headers=HTMX), 400)
        for sentence in (
            "Give a name of 1 to 40 characters.",
            "Use a number from 0 to 2.",
            "Use a whole number from 10 to 43200 seconds.",
            "This is not valid JSON at line 1, column 2",
            "Nothing was saved: 4 fields need a look.",
        ):
            assert sentence in refused
        assert 'value="hot"' in refused
        assert "Hello &lt;you&gt;" in refused
        assert "{not json" in refused
        assert refused.count('aria-invalid="true"') == 4
        assert (await web.client.get(f"/api/assistants/{made['id']}")).json()["name"] == "Riley"


async def test_a_taken_name_offers_a_free_one_that_one_click_takes(database: Database) -> None:
    async with a_directory(database) as (web, _):
        await create(web, "Robin")
        made = await create(web)
        client = await sign_in(web)
        typed = _typed(made, name="robin", first_message="Typed")
        refused = words_of(await client.post(f"/assistants/{made['id']}", data=typed, headers=HTMX), 409)
        assert """hx-vals='{"use_name": "robin 2"}'""" in refused
        assert "Typed" in refused
        taken = await client.post(f"/assistants/{made['id']}", data={**typed, "use_name": "robin 2"}, headers=HTMX)
        assert "Saved as version 2." in words_of(taken)


async def test_who_was_overtaken_keeps_the_text_and_may_save_over_it(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        await web.client.patch(f"/api/assistants/{made['id']}", json={"config": {"maxDurationSeconds": 60}})
        client = await sign_in(web)
        typed = _typed(made, first_message="Mine")
        refused = words_of(await client.post(f"/assistants/{made['id']}", data=typed, headers=HTMX), 409)
        assert "test changed this assistant while you were writing (version 2)" in refused
        assert "Mine" in refused
        assert 'name="version" value="2"' in refused
        saved = await client.post(f"/assistants/{made['id']}", data={**typed, "version": "2"}, headers=HTMX)
        assert "Saved as version 3." in words_of(saved)


async def test_a_provider_that_refuses_or_is_away_loses_nothing_that_was_typed(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        client = await sign_in(web)
        typed = _typed(made, voice_provider="no-such-voice")
        refused = words_of(await client.post(f"/assistants/{made['id']}", data=typed, headers=HTMX), 502)
        assert "Nothing was saved." in refused
        assert 'value="no-such-voice"' in refused
        await sim.faults(outage=True)
        assert 'role="alert"' in words_of(
            await client.post(f"/assistants/{made['id']}", data=_typed(made, name="New"), headers=HTMX), 502
        )


async def test_a_new_assistant_is_written_and_a_template_is_cloned(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        await seed_templates(web.runtime)
        (template,) = (await web.client.get("/api/assistants?q=discovery")).json()["assistants"]
        client = await sign_in(web)
        page = await text_of(client, "/assistants/new")
        assert "Begin here" in page
        typed = {"name": "Mine", "first_message": "Hello", "model_provider": "openai", "model_name": "gpt-4o"}
        made = await client.post("/assistants/new", data=typed, headers=HTMX)
        assert made.headers["hx-redirect"].endswith("?made=created")
        assert "Mine</bdi> is created" in await text_of(client, made.headers["hx-redirect"])
        clone_page = await text_of(client, f"/assistants/new?from={template['id']}")
        assert 'value="Discovery 2"' in clone_page
        typed = _typed(template, None, name="Ask", original=template["id"])
        cloned = await client.post("/assistants/new", data=typed, headers=HTMX)
        assistant_id = cloned.headers["hx-redirect"].split("/")[2].partition("?")[0]
        shown = (await web.client.get(f"/api/assistants/{assistant_id}")).json()
        assert {key: shown["config"][key] for key in template["config"]} == template["config"]
        assert (await at_provider(sim, shown["providerAssistantId"]))["name"] == "Ask"
        version = (await web.client.get(f"/api/assistants/{assistant_id}/versions/1")).json()
        assert version["action"] == "cloned"


async def test_a_template_is_read_only_and_has_no_tabs(database: Database) -> None:
    async with running_web(database) as web:
        await seed_templates(web.runtime)
        (template,) = (await web.client.get("/api/assistants?q=discovery")).json()["assistants"]
        client = await sign_in(web)
        page = await text_of(client, f"/assistants/{template['id']}")
        assert "Use this template" in page
        assert "Save changes" not in page
        assert 'href="/assistants/' + template["id"] + '/versions"' not in page
        refused = await client.post(f"/assistants/{template['id']}", data=_typed(template, None), headers=HTMX)
        assert "template" in words_of(refused, 409)


async def test_an_assistant_of_the_account_is_imported_by_a_click_or_by_its_id(database: Database) -> None:
    async with a_directory(database) as (web, _):
        client = await sign_in(web)
        assert "Asking the provider" in await text_of(client, "/assistants/import")
        listed = await text_of(client, "/assistants/import/account", headers=HTMX)
        assert "Riley - short pitch" in listed
        assert "In the directory" not in listed
        imported = await _send(client, "/assistants/import", provider_id=ASSISTANT_SALES)
        assert imported.headers["hx-redirect"].endswith("?made=imported")
        assert "In the directory" in await text_of(client, "/assistants/import/account", headers=HTMX)
        again = await _send(client, "/assistants/import", provider_id=ASSISTANT_SALES)
        assert again.headers["hx-redirect"].endswith("?made=updated")
        missing = words_of(await _send(client, "/assistants/import", provider_id="nope"), 404)
        assert "The provider has no assistant of that id." in missing
        assert 'value="nope"' in missing


async def test_an_import_under_a_taken_name_asks_for_another_and_offers_one(database: Database) -> None:
    async with a_directory(database) as (web, _):
        await create(web, "Riley - short pitch")
        client = await sign_in(web)
        refused = words_of(await _send(client, "/assistants/import", provider_id=ASSISTANT_SALES), 409)
        assert "Name here" in refused
        assert "Riley - short pitch 2" in refused
        taken = await _send(
            client, "/assistants/import", provider_id=ASSISTANT_SALES, name="x", use_name="Riley - short pitch 2"
        )
        assert "hx-redirect" in taken.headers


async def test_an_account_that_cannot_be_asked_is_said_so(database: Database) -> None:
    async with running_web(database) as web:
        client = await sign_in(web)
        shown = await text_of(client, "/assistants/import/account", headers=HTMX)
        assert 'role="alert"' in shown
        assert "Ask again" in shown


async def test_versions_are_listed_compared_and_restored(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        changes = {
            "config": {
                "model": {"messages": [{"role": "system", "content": "Be kind.\nBe brief."}]},
                "endCallMessage": "It's Zoë. <b>",
            }
        }
        await web.client.patch(f"/api/assistants/{made['id']}", json=changes)
        client = await sign_in(web)
        address = f"/assistants/{made['id']}/versions"
        listed = await text_of(client, address)
        assert "Version 2" in listed
        assert "System prompt" in listed
        assert listed.count(">Restore<") == 1
        compared = await text_of(client, f"{address}/2")
        assert '<li class="added"><span class="unseen">added: </span>Be kind.</li>' in compared
        assert '<li class="same">Be brief.</li>' in compared
        whole = compared.partition("<pre")[2]
        assert "It&#39;s Zoë. &lt;b&gt;&#34;" in whole, "as it is written, and no markup"
        assert "This is the first version" in await text_of(client, f"{address}/1")
        assert "are the same" in await text_of(client, f"{address}/1?against=1")
        for nonsense in ("0", "x", "9", "99999999999"):
            await text_of(client, f"{address}/{nonsense}", status=404)
        restored = await _send(client, f"{address}/1/restore")
        assert restored.headers["hx-redirect"] == address
        assert "Back to version 1" in await text_of(client, address)
        assert (await at_provider(sim, made["providerAssistantId"]))["model"] == CONFIG["model"]


async def test_drift_is_shown_and_either_side_is_taken(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        client = await sign_in(web)
        address = f"/assistants/{made['id']}/drift"
        assert "Asking the provider" in await text_of(client, address)
        assert "are the same" in await text_of(client, f"{address}/now", headers=HTMX)
        await change_at_provider(sim, made["providerAssistantId"], firstMessage="Theirs", maxDurationSeconds=99)
        differs = await text_of(client, f"{address}/now", headers=HTMX)
        assert "2 values differ" in differs
        assert "First message" in differs
        words_of(await _send(client, address, take="ours"))
        assert (await at_provider(sim, made["providerAssistantId"]))["firstMessage"] == CONFIG["firstMessage"]
        await change_at_provider(sim, made["providerAssistantId"], firstMessage="Theirs")
        taken = words_of(await _send(client, address, take="theirs"))
        assert 'hx-target="#drift"' in taken
        shown = (await web.client.get(f"/api/assistants/{made['id']}")).json()
        assert shown["config"]["firstMessage"] == "Theirs"
        await delete_at_provider(sim, made["providerAssistantId"])
        assert "deleted there" in await text_of(client, f"{address}/now", headers=HTMX)


async def test_deleting_is_asked_for_and_refused_with_the_campaigns_that_need_it(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        (row,) = await rows(database, "SELECT assistant_id AS id FROM campaigns")
        client = await sign_in(web)
        dialog = await text_of(client, f"/assistants/{row['id']}/delete", headers=HTMX)
        assert "cannot be deleted yet" in dialog
        assert f'<a href="/campaigns/{campaign_id}" dir="auto">Spring</a>' in dialog
        refused = await _send(client, f"/assistants/{row['id']}/delete")
        assert "needed by campaigns that are not over" in words_of(refused, 409)
        await change_campaign(database, campaign_id, status="CANCELED")
        assert "Delete the assistant" in await text_of(client, f"/assistants/{row['id']}/delete", headers=HTMX)
        gone = await _send(client, f"/assistants/{row['id']}/delete")
        assert gone.headers["hx-redirect"] == "/assistants"
        assert "There is nothing here" in await text_of(client, f"/assistants/{row['id']}", status=404)


async def test_use_lists_the_campaigns_or_says_that_there_are_none(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        unused = await add_assistant(database)
        (row,) = await rows(database, "SELECT assistant_id AS id FROM campaigns")
        client = await sign_in(web)
        assert f'href="/campaigns/{campaign_id}"' in await text_of(client, f"/assistants/{row['id']}/use")
        assert "Not used yet" in await text_of(client, f"/assistants/{unused}/use")


async def test_a_test_call_is_placed_and_followed_and_what_is_refused_is_kept(database: Database) -> None:
    async with a_directory(database, "--scenario", "all-answer", is_function=True) as (web, sim):
        made = await create(web)
        client = await sign_in(web)
        address = f"/assistants/{made['id']}/test-call"
        assert "Call now" in await text_of(client, address)
        assert "Main line" in await text_of(client, f"{address}/numbers?chosen={TWILIO_MAIN}", headers=HTMX)
        refused = words_of(await _send(client, address, phone="12", person="Ada", number=TWILIO_MAIN), 400)
        assert "Phone is too short for a US number" in refused
        assert 'value="12"' in refused
        assert 'value="Ada"' in refused
        placed = words_of(await _send(client, address, phone="202 555 0143", person="Ada", number=TWILIO_MAIN))
        assert "The call is on its way" in placed
        assert (await sim.summary())["dials"] == 1
        (row,) = await rows(database, "SELECT id FROM campaigns")
        assert "Ada" in await text_of(client, f"{address}/{row['id']}", headers=HTMX)
        assert "The call is on its way" in await text_of(client, address)
        await change_campaign(database, row["id"], status="COMPLETED")
        over = await text_of(client, f"{address}?campaign={row['id']}")
        assert "The call is over" in over
        assert "every 1s" not in over
        assert "Earlier test calls" in over
        await web.client.post("/api/dialing/hold")
        held = words_of(await _send(client, address, phone="202 555 0144", number=TWILIO_MAIN), 409)
        assert "No test call can be placed now." in held


async def test_a_campaign_that_is_no_test_call_is_not_shown_as_one(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        (row,) = await rows(database, "SELECT assistant_id AS id FROM campaigns")
        client = await sign_in(web)
        await text_of(client, f"/assistants/{row['id']}/test-call?campaign={campaign_id}", status=404)


async def test_a_stranger_sees_nothing_and_changes_nothing(database: Database) -> None:
    async with running_web(database) as web:
        assistant_id = await add_assistant(database)
        for path in ("/assistants", "/assistants/new", "/assistants/import", f"/assistants/{assistant_id}"):
            assert (await web.stranger.get(path)).status_code == 401
        assert (await web.stranger.post(f"/assistants/{assistant_id}/deactivate")).status_code == 401
        client = await sign_in(web)
        del client.headers["X-CSRF-Token"]
        assert (await client.post(f"/assistants/{assistant_id}/deactivate")).status_code == 403


async def test_what_cannot_be_stored_is_refused(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        client = await sign_in(web)
        refused = await client.post(f"/assistants/{made['id']}", data=_typed(made, name="a\x00b"), headers=HTMX)
        assert "NUL" in words_of(refused, 400)
        assert json.loads((await web.client.get(f"/api/assistants/{made['id']}")).text)["name"] == "Riley"
