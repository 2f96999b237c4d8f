import json

import httpx
import pytest

from tools.audit import Unasked, locked, look_up, read_npm


def client(answer: httpx.Response | Exception) -> httpx.Client:
    def say(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        assert all(query["package"]["ecosystem"] == "PyPI" for query in json.loads(request.content)["queries"])
        return answer

    return httpx.Client(base_url="http://osv.test", transport=httpx.MockTransport(say))


def test_every_locked_package_is_asked_about() -> None:
    packages = locked()
    assert packages["fastapi"][0].isdigit()
    assert {"redis", "limits", "argon2-cffi", "pytest"} <= packages.keys()


def test_what_is_known_is_told_by_package_and_version() -> None:
    answer = httpx.Response(200, json={"results": [{}, {"vulns": [{"id": "GHSA-1"}, {"id": "PYSEC-2"}]}]})
    assert look_up(client(answer), {"b": "2", "a": "1"}) == ["b 2: GHSA-1", "b 2: PYSEC-2"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("no network"),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
    ],
)
def test_a_database_that_does_not_answer_is_no_all_clear(answer: httpx.Response | Exception) -> None:
    with pytest.raises(Unasked, match="cannot be asked"):
        look_up(client(answer), {"a": "1"})


def test_a_report_of_npm_is_read_and_an_error_of_npm_is_no_all_clear() -> None:
    assert read_npm(0, '{"vulnerabilities": {}}') == []
    assert read_npm(1, '{"vulnerabilities": {"x": {"severity": "high"}}}') == ["x: high"]
    for output in ("", "npm error", '{"error": {"code": "ENOAUDIT"}}', "[]"):
        with pytest.raises(Unasked, match="does not answer"):
            read_npm(1, output)
