"""Logs as one JSON object a line, on stdout."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Writes a record, what ``extra={"fields": …}`` adds, and a trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Make the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up() -> None:
    """Send everything from INFO on to stdout, and the AWS client's chatter from WARNING on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("boto3", "botocore", "urllib3", "s3transfer"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
