"""Recordings in a bucket: signed as the store's makers publish it, whole, and readable from any place."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autolynx.archive.bucket import RecordingBucket
from autolynx.archive.port import ArchiveError, TooLarge
from autolynx.archive.s3_signature import S3Account, signed_headers
from autolynx.errors import ConfigurationError
from autolynx.flows.recording_copies import copy_due_recordings
from autolynx.runtime import SystemClock
from autolynx.settings import load_settings
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, make_campaign
from tests.support.checks import query
from tests.support.engine import make_runtime, settings_for_test
from tests.support.stub_vapi import Answering, Drop, Reply, Seen, run_stub
from tests.support.web import running_web

pytestmark = pytest.mark.anyio

ACCOUNT = S3Account(
    region="us-east-1", key_id="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)
CALL = UUID("7d3f3c7e-5a3e-4a56-9a4b-0c3c2f0f7a11")
AUDIO = bytes(range(256)) * 300


class Bucket:
    """A store that keeps what it is sent, if it is signed by somebody."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def answer(self, seen: Seen) -> Answering:
        if not seen.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"):
            return Reply(status=403)
        if seen.method == "PUT":
            self.objects[seen.path] = seen.raw
            return Reply()
        if seen.method == "DELETE":
            return Reply(status=204 if self.objects.pop(seen.path, None) else 404)
        found = self.objects.get(seen.path)
        if found is None:
            return Reply(status=404)
        if seen.method == "HEAD":
            return Reply(headers={"Content-Length": str(len(found))})
        first, last = seen.headers["range"].removeprefix("bytes=").split("-")
        return Reply(status=206, body=found[int(first) : int(last) + 1])


def bucket_at(url: str) -> RecordingBucket:
    return RecordingBucket(endpoint=f"{url}/s3/", bucket="calls", account=ACCOUNT, now=SystemClock().now)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_request_is_signed_as_in_the_published_example() -> None:
    headers = signed_headers(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        account=ACCOUNT,
        now=datetime(2013, 5, 24, tzinfo=UTC),
        extra={"Range": "bytes=0-9"},
    )
    assert headers["authorization"].endswith(
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


async def test_a_bucket_removes_a_copy_and_one_that_is_not_there_is_no_error() -> None:
    store = Bucket()
    async with run_stub(store.answer) as stub:
        bucket = bucket_at(stub.url)
        await bucket.keep(CALL, chunks(AUDIO), most_bytes=len(AUDIO))
        await bucket.remove(CALL)
        assert store.objects == {}
        await bucket.remove(CALL)
        await bucket.close()


async def test_a_bucket_keeps_whole_recordings_and_gives_any_part_of_them() -> None:
    store = Bucket()
    async with run_stub(store.answer) as stub:
        bucket = bucket_at(stub.url)
        assert await bucket.size_of(CALL) is None
        assert await bucket.keep(CALL, chunks(AUDIO[:1000], AUDIO[1000:]), most_bytes=len(AUDIO)) == len(AUDIO)
        assert store.objects == {f"/s3/calls/recordings/{CALL.hex}": AUDIO}
        assert await bucket.size_of(CALL) == len(AUDIO)
        async with bucket.open(CALL, first=500, last=1499) as part:
            assert b"".join([chunk async for chunk in part]) == AUDIO[500:1500]
        with pytest.raises(TooLarge):
            await bucket.keep(uuid4(), chunks(b"longer", b"!"), most_bytes=6)
        assert len(store.objects) == 1
        await bucket.close()


@pytest.mark.parametrize("answer", [Reply(status=403), Reply(status=500), Drop()])
async def test_a_bucket_that_refuses_or_is_away_is_said_without_a_secret(answer: Answering) -> None:
    async with run_stub(lambda _seen: answer) as stub:
        bucket = bucket_at(stub.url)
        with pytest.raises(ArchiveError) as problem:
            await bucket.keep(CALL, chunks(b"abc"), most_bytes=10)
        with pytest.raises(ArchiveError):
            async with bucket.open(CALL, first=0, last=1):
                pass
        await bucket.close()
    assert ACCOUNT.secret not in str(problem.value)
    assert ACCOUNT.secret not in repr(ACCOUNT)


async def test_a_copy_in_a_bucket_is_served_like_one_in_a_folder(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    call_id = await add_call(database, campaign_id, 0, provider_call_id=str(uuid4()))
    await query(database, "UPDATE calls SET recording_url = 'https://x.example' RETURNING id")
    sound = Reply(body=AUDIO, headers={"content-type": "audio/wav"})
    async with run_stub(Bucket().answer) as stub, run_stub(lambda _seen: sound) as vapi:
        bucket = bucket_at(stub.url)
        runtime = make_runtime(database, vapi.url, settings=settings_for_test(), recordings=bucket)
        assert await copy_due_recordings(runtime, deadline=runtime.clock.now() + timedelta(seconds=60)) == 1
        await runtime.provider.close()
        async with running_web(database, recordings=bucket, is_function=True) as web:
            part = await web.client.get(f"/api/calls/{call_id}/recording", headers={"Range": "bytes=0-999"})
            assert (part.status_code, part.content) == (206, AUDIO[:1000])
        await bucket.close()


def test_a_bucket_needs_all_that_names_it() -> None:
    whole = {
        "RECORDING_STORE": "s3",
        "S3_ENDPOINT": "https://x.supabase.co/storage/v1/s3",
        "S3_BUCKET": "calls",
        "S3_ACCESS_KEY_ID": "id",
        "S3_SECRET_ACCESS_KEY": "key",
    }
    assert load_settings(whole).recordings_folder is None
    for name in set(whole) - {"RECORDING_STORE"}:
        with pytest.raises(ConfigurationError, match=name):
            load_settings({key: value for key, value in whole.items() if key != name})


def test_copies_lie_in_the_data_folder_unless_told_otherwise() -> None:
    assert load_settings({"DATA_DIR": "place"}).recordings_folder == Path("place/recordings")
    assert load_settings({"RECORDINGS_DIR": "own"}).recordings_folder == Path("own")
    assert load_settings({"RECORDING_STORE": "off"}).recordings_folder is None
    assert load_settings({"RUNTIME": "function"}).recordings_folder is None
