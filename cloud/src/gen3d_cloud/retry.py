"""``python -m gen3d_cloud.retry --stack gen3d --job ID``: takes failed jobs up again.

One job by its id, or all that failed since a time (``--since 6h``). The stack's reconcile function
does it, as it does for an owner who asks for it in the page: what there is of a job is kept.
"""

import argparse
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TypedDict

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud.deployed import CloudError, output, outputs, table

_ONCE = Config(read_timeout=330, retries={"total_max_attempts": 1})
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """A time: ``2026-11-28T12:00Z``, or so long ago (``90m``, ``6h``, ``2d``).

    Raises
    ------
    CloudError
        It is neither.
    """
    ago = re.fullmatch(r"(\d+)([mhd])", text)
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CloudError(
            f"{text!r} is no time. Write 2026-11-28T12:00Z, or how long ago: 90m, 6h, 2d."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def owner_of(job: str, records: str) -> str:
    """Whose a job is; its id alone says it nowhere but in the record.

    Raises
    ------
    CloudError
        There is no such job.
    """
    client = boto3.client("dynamodb")
    pages = client.get_paginator("scan").paginate(
        TableName=records,
        FilterExpression="jobId = :job",
        ExpressionAttributeValues={":job": {"S": job}},
        ProjectionExpression="#owner",
        ExpressionAttributeNames={"#owner": "owner"},
    )
    for page in pages:
        for item in page["Items"]:
            owner: str = item["owner"]["S"]
            return owner
    raise CloudError(f"There is no job {job}. Its id is in the mail about its failure.")


class Outcome(TypedDict):
    """What the function answers."""

    retried: list[str]
    refused: dict[str, str]
    """Id → why not."""


def retry(stack: str, job: str, since: str) -> Outcome:
    """Have one job, or all that failed since a time, taken up again.

    Returns
    -------
    Outcome

    Raises
    ------
    CloudError
    """
    found = outputs(stack)
    function = output("ReconcileFunctionName", stack, found)
    if job:
        owner = owner_of(job, output("JobsTableName", stack, found))
        event: dict[str, object] = {"retry": {"owner": owner, "jobId": job}}
    else:
        event = {"retrySince": moment(since).isoformat(timespec="seconds")}
    client = boto3.client("lambda", config=_ONCE)
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    done = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CloudError(f"{function} failed: {done.get('errorMessage')}. Read its log.")
    return Outcome(retried=done["retried"], refused=done["refused"])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.retry", description=__doc__)
    parser.add_argument("--stack", required=True, help="a deployed stack")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--job", default="", help="the id of one job")
    which.add_argument(
        "--since", default="", help="a time (2026-11-28T12:00Z) or how long ago (6h)"
    )
    options = parser.parse_args(arguments)
    try:
        done = retry(options.stack, options.job, options.since)
    except (CloudError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    rows = [[job, "taken up again"] for job in done["retried"]]
    rows += [[job, why] for job, why in done["refused"].items()]
    print(table(["job", "outcome"], rows) if rows else "No job has failed since then.")
    return 1 if done["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
