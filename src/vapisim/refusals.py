"""The ways in which a request does not get what it asked for."""


class Refused(Exception):
    """The request is answered with an error body; nothing has been placed."""

    def __init__(
        self, status: int, message: str | list[str], reason: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.message = message
        self.reason = reason
        self.headers = headers or {}

    @property
    def wording(self) -> str:
        """The message as one line."""
        return self.message if isinstance(self.message, str) else "; ".join(self.message)


class ErrorOnly(Refused):
    """A refusal whose body is only `{"error": ...}`."""


class HtmlPage(Refused):
    """The proxy in front of the service answers, in HTML."""


class Dropped(Refused):
    """The connection is cut without an answer."""
