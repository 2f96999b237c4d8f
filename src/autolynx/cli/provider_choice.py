"""Who is called by: the provider where there is a key, else the simulator."""

import socket
from dataclasses import dataclass, replace

from rich.console import Console

from autolynx.cli.listening import listen, port_of
from autolynx.cli.simulator import Play
from autolynx.cli.stage import SIMULATED
from autolynx.provider.probe import is_private_address
from autolynx.settings import VAPI_API, Settings

HOST = "127.0.0.1"
PORT = 8000


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The settings to run under, and how the simulator plays where nobody is really called."""

    settings: Settings
    play: Play | None

    def listen(self, port: int | None) -> socket.socket:
        """Open the socket: on the port asked for, else on the usual one, or the next free if no tunnel leads there."""
        if port is not None:
            return listen(HOST, port)
        return listen(HOST, PORT, may_move=self.play is not None or not self._has_public_url)

    def announce(self, console: Console, listener: socket.socket) -> None:
        """Say who is called, and what follows from the address that webhooks go to."""
        if self.play is not None:
            said = f"VAPI_API_KEY is not set: a simulated town is called, at {self.play.speed:g} times the speed."
        elif self.settings.vapi_base_url == VAPI_API and is_private_address(self.settings.public_url):
            said = (
                f"Vapi cannot reach this machine (PUBLIC_URL is {self.settings.public_url}): calls are followed by "
                "asking, which is slower; nothing is lost. A tunnel to port "
                f"{port_of(listener)} and its address as PUBLIC_URL make it fast."
            )
        else:
            return
        console.print(said, highlight=False, markup=False, soft_wrap=True)

    @property
    def _has_public_url(self) -> bool:
        return "public_url" in self.settings.model_fields_set


def choose_provider(settings: Settings, play: Play) -> Choice:
    """Return the real provider where VAPI_API_KEY is set, else the simulator with as many lines as the account.

    Simulated calls have a database of their own below DATA_DIR, unless DATABASE_URL names one.
    """
    if settings.vapi_api_key is not None:
        return Choice(settings=settings, play=None)
    apart = settings.model_copy(update={"data_dir": settings.data_dir / SIMULATED})
    return Choice(settings=apart, play=replace(play, lines=settings.account_concurrency_cap))
