import pytest

from autolynx.flows.dialing import hold_dialling
from autolynx.store.database import Database
from tests.support.engine import make_campaign
from tests.support.web import running_web

pytestmark = pytest.mark.anyio


async def test_monitoring_reads_what_the_database_says(database: Database) -> None:
    await make_campaign(database, contacts=1)
    async with database.connection() as conn:
        await conn.execute("INSERT INTO incidents (kind, sentence, created_at) VALUES ('unsure', 'One.', now())")
    async with running_web(database) as web:
        await hold_dialling(web.runtime, reason="Pressed in a test.")
        text = (await web.client.get("/api/metrics")).text
    assert 'autolynx_campaigns{status="CREATED"} 1.0' in text
    assert 'autolynx_incidents{kind="unsure"} 1.0' in text
    assert "autolynx_dialing_held 1.0" in text
    assert "autolynx_lines_held 0.0" in text
