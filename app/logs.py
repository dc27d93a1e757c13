"""Structured logs: one JSON object a line when piped, readable colours on a terminal."""

import logging
import sys

import structlog

from app.settings import settings

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def start(process: str) -> None:
    """Set up logging for this process; the standard library's loggers end up in the same stream."""
    level = logging.getLevelNamesMapping().get(settings().log_level.upper(), logging.INFO)
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
