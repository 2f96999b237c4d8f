"""`autolynx serve`."""

import socket

import typer

from autolynx.bootstrap import open_engine
from autolynx.cli.configuring import configured
from autolynx.cli.interrupts import catching_interrupts
from autolynx.cli.listening import listen, port_of, serving
from autolynx.cli.loop import run_async
from autolynx.log import log
from autolynx.settings import Settings
from autolynx.web.app import build_web

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for every one."),
    port: int = typer.Option(8000, min=0, max=65535, help="Port; 0 takes a free one."),
) -> None:
    """Serve pages, API and webhooks, and keep campaigns going. Stops orderly at Ctrl-C or SIGTERM."""
    settings = configured()
    listener = listen(host, port)
    run_async(_serve(with_port(settings, port_of(listener)), listener, host))


def with_port(settings: Settings, port: int) -> Settings:
    """Return settings whose PUBLIC_URL, where it is not set, leads to the port that is listened on."""
    if "public_url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})


async def _serve(settings: Settings, listener: socket.socket, host: str) -> None:
    with listener, catching_interrupts() as interrupts:
        async with open_engine(settings) as engine, serving(build_web(engine), listener):
            if engine.ticker is not None:
                engine.ticker.start()
            print(f"AutoLynx listens on http://{host}:{port_of(listener)}", flush=True)
            await interrupts.wait()
            log.info("serve.stopping")
