"""EventBridge events of services that do not send their own."""

import json
import threading
from collections.abc import Mapping

from ministack.services import eventbridge


def announce(detail: Mapping[str, object]) -> None:
    """Send a "Step Functions Execution Status Change" event, as AWS does at each start and end."""
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [detail["executionArn"]],
        "Detail": json.dumps(detail),
    }
    # Delivery calls functions and waits for them, so it is not done on the caller's thread.
    threading.Thread(
        target=eventbridge._put_events,
        args=({"Entries": [entry]},),
        kwargs={"allow_aws_source": True},
        daemon=True,
    ).start()
