"""Style sheets and scripts: named by their content, kept for a year, packed once, and nothing else is served."""

import gzip
import re
from pathlib import Path

import httpx
import pytest

from autolynx.errors import ConfigurationError
from autolynx.store.database import Database
from autolynx.web.served_assets import FOLDER, OWN_STYLES, VENDOR, ServedAssets, packaged_assets
from tests.support.sources import APPLICATION
from tests.support.web import problem, running_web

FOR_A_YEAR = "public, max-age=31536000, immutable"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of assets with what others made, an own script and two own style sheets."""
    made = dict.fromkeys(VENDOR, "/* of others */")
    made |= {"js/app.js": "start();", "css/10-colours.css": "a{}", "css/20-page.css": "b{}", "mark.svg": "<svg/>"}
    made |= {"vendor/.stamp": "secret", "notes.md": "secret"}
    for name, text in made.items():
        (tmp_path / "assets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "assets" / name).write_text(text, "utf-8")
    (tmp_path / "beside.css").write_text("secret", "utf-8")
    return tmp_path / "assets"


def client_of(assets: ServedAssets) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=assets), base_url="http://testserver/")


def named(assets: ServedAssets, name: str) -> str:
    """The address as it is inside the mount."""
    return assets.address(name).removeprefix("/assets")


def test_an_address_changes_with_the_content_and_with_nothing_else(folder: Path) -> None:
    before, again = ServedAssets.read(folder), ServedAssets.read(folder)
    (folder / "js" / "app.js").write_text("stop();", "utf-8")
    after = ServedAssets.read(folder)
    assert re.fullmatch(r"/assets/app\.[0-9a-f]{8}\.js", before.address("app.js"))
    assert before.address("app.js") == again.address("app.js") != after.address("app.js")
    assert before.address("mark.svg") == after.address("mark.svg")
    assert re.fullmatch(r"/assets/vendor/htmx\.min\.[0-9a-f]{8}\.js", after.address("vendor/htmx.min.js"))


@pytest.mark.anyio
async def test_own_style_sheets_are_one_in_the_order_of_their_names(folder: Path) -> None:
    assets = ServedAssets.read(folder)
    async with client_of(assets) as client:
        answer = await client.get(named(assets, OWN_STYLES))
    assert answer.text == "a{}\nb{}"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


def test_an_unknown_name_is_an_error_where_it_is_written(folder: Path) -> None:
    with pytest.raises(LookupError, match=r"no asset called ap\.css; there are app\.css"):
        ServedAssets.read(folder).address("ap.css")


def test_two_assets_of_one_name_stop_the_start(folder: Path) -> None:
    (folder / "app.js").write_text("", "utf-8")
    with pytest.raises(ConfigurationError, match=r"Two assets are called app\.js"):
        ServedAssets.read(folder)


def test_a_folder_without_the_files_of_others_says_how_to_get_them(folder: Path) -> None:
    (folder / VENDOR[0]).unlink()
    with pytest.raises(ConfigurationError, match=r"lack vendor/htmx\.min\.js: install AutoLynx again .*pip install -e"):
        ServedAssets.read(folder)


@pytest.mark.anyio
async def test_a_hashed_address_is_kept_and_a_bare_name_is_asked_again() -> None:
    assets = packaged_assets()
    async with client_of(assets) as client:
        hashed, bare = await client.get(named(assets, "docs.js")), await client.get("/docs.js")
    assert hashed.content == bare.content == (FOLDER / "docs.js").read_bytes()
    assert hashed.headers["cache-control"] == FOR_A_YEAR
    assert bare.headers["cache-control"] == "no-cache"
    assert hashed.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.anyio
async def test_an_asset_is_packed_for_those_who_take_it(folder: Path) -> None:
    (folder / "js" / "app.js").write_text("start();" * 1000, "utf-8")
    assets = ServedAssets.read(folder)
    accepted = {"gzip": True, "br, gzip;q=0.5": True, "GZIP": True, "": False, "br": False, "gzip;q=0": False}
    async with client_of(assets) as client:
        for words, is_packed in accepted.items():
            answer = await client.get("/app.js", headers={"Accept-Encoding": words})
            assert (answer.headers.get("content-encoding") == "gzip") is is_packed, words
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.text == "start();" * 1000
            assert int(answer.headers["content-length"]) < 200 or not is_packed
        tiny = await client.get("/mark.svg", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in tiny.headers, "packing would make it longer"


def test_a_script_is_packed_as_small_as_gzip_can(folder: Path) -> None:
    chart = packaged_assets()._by_name["vendor/chart.umd.min.js"]
    assert chart.zipped is not None
    assert gzip.decompress(chart.zipped) == chart.content
    assert len(chart.zipped) == len(gzip.compress(chart.content, 9, mtime=0))


@pytest.mark.anyio
async def test_a_known_content_is_not_sent_again(folder: Path) -> None:
    async with client_of(ServedAssets.read(folder)) as client:
        first = await client.get("/app.js")
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', tag.replace('-gzip"', '"'), "*"):
            answer = await client.get("/app.js", headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b""), known
            assert answer.headers["etag"] == tag
        assert (await client.get("/app.js", headers={"If-None-Match": '"other"'})).status_code == 200
        head = await client.head("/app.js")
        assert (head.content, head.headers["content-length"]) == (b"", str(len(first.content)))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/app.00000000.js",
        "/",
        "/css/10-colours.css",
        "/vendor/.stamp",
        "/notes.md",
        "/..%2fbeside.css",
        "/%2e%2e/beside.css",
        "/..\\beside.css",
        "//etc/passwd",
    ],
)
async def test_what_is_no_asset_is_not_there(database: Database, path: str) -> None:
    async with running_web(database) as web:
        problem(await web.stranger.get(f"/assets{path}"), 404, "NOT_FOUND")


@pytest.mark.anyio
async def test_assets_are_open_and_bear_the_security_headers(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.stranger.get(packaged_assets().address("docs.css"))
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == FOR_A_YEAR
        refused = await web.stranger.post("/assets/docs.css")
        problem(refused, 405, "METHOD_NOT_ALLOWED")
        assert refused.headers["allow"] == "GET, HEAD"


@pytest.mark.anyio
async def test_the_page_of_the_api_links_by_hashed_names(database: Database) -> None:
    async with running_web(database) as web:
        page = (await web.stranger.get("/api/docs")).text
    linked = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
    assert linked == {packaged_assets().address("docs.css"), packaged_assets().address("docs.js")}


def test_every_asset_that_a_template_names_is_there() -> None:
    named_ones = {
        name
        for path in (APPLICATION / "web" / "templates").rglob("*.html")
        for name in re.findall(r"""\basset\(["']([^"']+)["']\)""", path.read_text("utf-8"))
    }
    assert all(packaged_assets().address(name) for name in named_ones)
