"""`autolynx serve`."""

import socket

import typer

from autolynx.bootstrap import build_web, open_engine
from autolynx.cli.interrupts import catching_interrupts
from autolynx.cli.listening import listen, port_of, serving
from autolynx.cli.loop import run_async
from autolynx.log import configure_logging, log
from autolynx.settings import Settings, load_settings

app = typer.Typer()


@app.command()
def serve(
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for every one."),
    port: int = typer.Option(8000, min=0, max=65535, help="Port; 0 takes a free one."),
) -> None:
    """Serve pages, API and webhooks, and keep campaigns going. Stops orderly at Ctrl-C or SIGTERM."""
    settings = load_settings()
    configure_logging(settings.log_level, as_json=settings.environment == "production")
    run_async(_serve(settings, listen(host, port), host))


async def _serve(settings: Settings, listener: socket.socket, host: str) -> None:
    with listener, catching_interrupts() as interrupts:
        async with open_engine(settings) as engine, serving(build_web(engine), listener):
            if engine.ticker is not None:
                engine.ticker.start()
            print(f"AutoLynx listens on http://{host}:{port_of(listener)}", flush=True)
            await interrupts.wait()
            log.info("serve.stopping")
