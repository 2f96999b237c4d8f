"""Structured logging. Names, phone numbers and secrets are never passed in; what looks like one is masked anyway.

Everything that is printed goes the same way: our own events, lines of other libraries (the web server, the HTTP client,
the event loop), warnings, and the traceback of a command that broke.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

_PHONE = re.compile(r"(?:\+|%2B|\()?\d(?:[\d\s().-]|%20){7,}\d", re.IGNORECASE)
_SECRET_KEYS = re.compile(r"secret|token|password|authorization|control_url|api_key|cookie", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# What PostgreSQL adds to an error repeats rows and values, and an address may ask for a name or bear a secret.
_ROW = re.compile(r"^((?:DETAIL|CONTEXT|QUERY|HINT|LINE \d+):).*$", re.MULTILINE)
_QUERY = re.compile(r"(?<=[\w/.])\?[^\s\"'<>]*=[^\s\"'<>]*")
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_OWN_TOKEN = re.compile(r"\bal_[\w-]{16,}")
_UNMASKED = frozenset({"timestamp", "level", "version"})
# Of the web server's own lines about requests only what went wrong is of use: addresses bear what people search for.
_QUIET = {"uvicorn.access": logging.WARNING, "httpx": logging.WARNING, "httpcore": logging.WARNING}
_PROCESSORS: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what looks like a phone number or a secret, whatever key it comes under and however deep."""
    for key, value in list(event.items()):
        if key not in _UNMASKED:
            event[key] = _masked(key, value)
    return event


def _masked(key: str, value: Any) -> Any:
    if _SECRET_KEYS.search(key):
        return "***"
    if isinstance(value, dict):
        return {str(name): _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return mask_text(value if isinstance(value, str) else str(value))


def mask_text(text: str) -> str:
    """Return the text with every phone number shortened to its last two digits, and without secrets; ids are whole."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\x00{len(kept) - 1}\x00"

    text = _OWN_TOKEN.sub("al_***", _BEARER.sub(r"\1 ***", _QUERY.sub("?***", _ROW.sub(r"\1 ***", text))))
    masked = _PHONE.sub(lambda m: f"***{m.group()[-2:]}", _UUID.sub(keep, text))
    return re.sub("\x00(\\d+)\x00", lambda m: kept[int(m.group(1))], masked)


def configure_logging(level: str, *, as_json: bool) -> None:
    """Send everything to standard error, as JSON or as lines for a terminal: our events, and other libraries' lines."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*_PROCESSORS, mask, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    _take_over(max(number, logging.INFO), renderer)
    sys.excepthook = _tell_of_crash


def _take_over(level: int, renderer: structlog.typing.Processor) -> None:
    """Let the standard library's loggers print through our mask; those that print by themselves do so no more."""
    handler = logging.StreamHandler(sys.stderr)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, renderer]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_PROCESSORS, processors=processors))
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not _is_ours(one)] + [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))
    logging.captureWarnings(capture=True)


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)


def _tell_of_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a program that broke; values in it may be anything."""
    sys.stderr.write(mask_text("".join(traceback.format_exception(kind, error, trace))))


log: structlog.stdlib.BoundLogger = structlog.get_logger("autolynx")
