"""Style sheets, scripts and pictures: read once, named by their content, kept by browsers for a year.

A page asks for `asset("app.css")` and gets the address that bears the content's hash. The bare name answers as well,
for links written by hand, and is asked again every time.
"""

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from autolynx.errors import ConfigurationError

FOLDER = Path(__file__).with_name("assets")
PREFIX = "/assets/"
OWN_STYLES = "app.css"  # every file of css/, in the order of their names
VENDOR = ("vendor/htmx.min.js", "vendor/hx-sse.min.js", "vendor/chart.umd.min.js")
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    name: str
    hashed_name: str
    digest: str
    media_type: str
    content: bytes
    zipped: bytes | None  # None where it would not be smaller

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        """Return the asset of a name and its content."""
        stem, dot, suffix = name.rpartition(".")
        digest = hashlib.sha256(content).hexdigest()
        zipped = gzip.compress(content, compresslevel=9, mtime=0)
        return cls(
            name=name,
            hashed_name=f"{stem}.{digest[:8]}{dot}{suffix}",
            digest=digest[:32],
            media_type=MEDIA_TYPES[dot + suffix],
            content=content,
            zipped=zipped if len(zipped) < len(content) else None,
        )


class ServedAssets:
    """Every asset by its name and by its hashed name; an ASGI application to be mounted at /assets."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._by_name: dict[str, Asset] = {}
        for asset in assets:
            if asset.name in self._by_name:
                raise ConfigurationError(f"Two assets are called {asset.name}; rename one of them.")
            self._by_name[asset.name] = asset
        self._by_hashed_name = {asset.hashed_name: asset for asset in self._by_name.values()}

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder. Raises ConfigurationError where the files of others were never laid into it."""
        lacking = [name for name in VENDOR if not (folder / name).is_file()]
        if lacking:
            raise ConfigurationError(
                f"The pages lack {', '.join(lacking)}: install AutoLynx again (in a source folder: pip install -e .)."
            )
        return cls(Asset.of(name, content) for name, content in _files(folder))

    def address(self, name: str) -> str:
        """Return where a browser gets an asset. Raises LookupError for a name that nothing has."""
        if name not in self._by_name:
            raise LookupError(f"There is no asset called {name}; there are {', '.join(sorted(self._by_name))}.")
        return PREFIX + self._by_name[name].hashed_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for an asset."""
        request = Request(scope)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        name = request.scope["path"].removeprefix(request.scope.get("root_path", "")).removeprefix("/")
        hashed = self._by_hashed_name.get(name)
        asset = hashed or self._by_name.get(name)
        if asset is None:
            raise HTTPException(404)
        return _response(request, asset, FOR_EVER if hashed else ASK_AGAIN)


@cache
def packaged_assets() -> ServedAssets:
    """Return the assets of this installation; they are read at the first call."""
    return ServedAssets.read(FOLDER)


def asset_address(name: str) -> str:
    """Return where a browser gets one of our assets: what templates call `asset`."""
    return packaged_assets().address(name)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every asset's name and content: css/ as one, js/ by its files' own names, all others by their place."""
    styles = sorted((folder / "css").glob("*.css"))
    if styles:
        yield OWN_STYLES, b"\n".join(path.read_bytes() for path in styles)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path not in styles and path.is_file() and path.suffix in MEDIA_TYPES:
            yield name.removeprefix("js/"), path.read_bytes()


def _response(request: Request, asset: Asset, cache_control: str) -> Response:
    is_zipped = asset.zipped is not None and _takes_gzip(request.headers.get("accept-encoding", ""))
    body = asset.zipped if is_zipped and asset.zipped is not None else asset.content
    tag = f'"{asset.digest}-gzip"' if is_zipped else f'"{asset.digest}"'
    headers = {"Cache-Control": cache_control, "ETag": tag, "Vary": "Accept-Encoding"}
    if _is_known(request.headers.get("if-none-match", ""), asset):
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Type": asset.media_type, "Content-Length": str(len(body))}
    headers |= {"Content-Encoding": "gzip"} if is_zipped else {}
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether a client's Accept-Encoding lets us send gzip."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "").removeprefix("q=").strip("0.") != "" or not weight
    return False


def _is_known(if_none_match: str, asset: Asset) -> bool:
    """Whether the client has this content already, packed or not."""
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")}
    return bool(tags & {asset.digest, f"{asset.digest}-gzip", "*"})
