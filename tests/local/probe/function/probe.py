"""Does what it is told, to see what becomes of it."""

import os
import sys
import time
from typing import Any

import boto3
from shared import WORD  # type: ignore[import-not-found]


class NamedError(Exception):
    """An error with a name of its own."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    match event.get("do"):
        case "raise":
            raise NamedError('with "quotes"')
        case "crash":
            os._exit(3)
        case "hang":
            time.sleep(60)
        case "import":
            __import__(event["name"])
        case "environment":
            priority = os.getpriority(os.PRIO_PROCESS, 0)
            return {
                "names": sorted(os.environ),
                "path": sys.path,
                "word": WORD,
                "priority": priority,
            }
        case "put":
            boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=event["key"], Body=b"")
        case "nap":
            time.sleep(event["seconds"])
            return {"pid": os.getpid()}
        case "log":
            print(event["line"])
        case None:
            return {"statusCode": 200, "body": event["pathParameters"]["word"]}
    return {"greeting": os.environ["GREETING"], "requestId": context.aws_request_id}
