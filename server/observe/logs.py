"""Logs: one JSON object a line on stderr, without secrets, each with the request it belongs to."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from server.security.redaction import Redactor
    from server.settings import Settings

#: The request that the running code works for; empty outside one.
request_id: ContextVar[str] = ContextVar("request_id", default="")

_FIELDS: Final = "fields"
#: Loggers that speak of every request or connection at INFO, or tell session ids.
_QUIET: Final = (
    "mcp",
    "uvicorn.access",
    "uvicorn.error",
    "botocore",
    "boto3",
    "urllib3",
    "asyncio",
    "werkzeug",
)


def event(logger: logging.Logger, level: int, message: str, /, **fields: object) -> None:
    """Log ``message`` with ``fields`` as members of their own."""
    logger.log(level, message, extra={_FIELDS: fields})


def configure(settings: Settings, redactor: Redactor) -> None:
    """Send every log record to stderr in the chosen format.

    Call it before the MCP SDK is imported: the SDK configures logging where nobody has.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter(redactor, as_json=settings.log_format == "json"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class LogFormatter(logging.Formatter):
    """Format a record as one line and redact it, its fields and its traceback."""

    def __init__(self, redactor: Redactor, *, as_json: bool) -> None:
        super().__init__()
        self._redactor = redactor
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document = self._document(record)
        if self._as_json:
            return json.dumps(document, default=str)
        trace = document.pop("exception", None)
        head = f"{document.pop('time')} {document.pop('level'):<7} {document.pop('message')}"
        rest = " ".join(f"{key}={value}" for key, value in document.items())
        return "\n".join(part for part in (f"{head} {rest}".rstrip(), str(trace or "")) if part)

    def _document(self, record: logging.LogRecord) -> dict[str, object]:
        document: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redactor.text(record.getMessage()),
        }
        if current := request_id.get():
            document["request_id"] = current
        for key, value in getattr(record, _FIELDS, {}).items():
            document[key] = self._redactor.data(value)
        if record.exc_info and record.exc_info[0]:
            document["exception"] = self._redactor.text("".join(traceback.format_exception(*record.exc_info)))
        return document
