"""The description of the API as a page of our own: no foreign scripts, nothing inline."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from autolynx.web.served_assets import asset_address

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AutoLynx API</title>
<link rel="stylesheet" href="{styles}">
<script src="{script}" defer></script>
</head>
<body>
<header>
<h1>AutoLynx API</h1>
<p>The document behind this page: <a href="/api/openapi.json">/api/openapi.json</a>.</p>
<label for="token">API token, kept in this tab only</label>
<input id="token" type="password" autocomplete="off" placeholder="al_...">
</header>
<main id="operations" aria-live="polite"><p>Loading ...</p></main>
<noscript><p>This page needs JavaScript; the document itself does not.</p></noscript>
</body>
</html>
"""


@router.get("/api/docs")
async def docs() -> HTMLResponse:
    """Show every operation with a form to try it."""
    return HTMLResponse(_PAGE.format(styles=asset_address("docs.css"), script=asset_address("docs.js")))
