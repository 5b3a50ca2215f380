"""Ends the instances of an endpoint that has been awake for an hour without work.

SleepAlarm does so after ten minutes, by a metric of SageMaker's. Should that metric be missing, an
instance would run for a month. Here our own queue is asked, and SageMaker itself whether one runs.
"""

from datetime import datetime, timedelta

from gen3d.jobs import iso
from gen3d_aws import clients
from gen3d_aws.observability import count, logger
from gen3d_aws.tokens import TokenStore
from gen3d_reconcile.settings import ReconcileSettings

IDLE = timedelta(hours=1)
"""So long an instance may run without work: six times what SleepAlarm waits for."""

_MARK = {"callbackId": "idle"}
"""The row of the tokens table that says since when nothing has happened."""


def end_idle_instances(config: ReconcileSettings, moment: datetime) -> dict[str, int]:
    """Put the endpoint to sleep if nothing was asked of it for long.

    Returns
    -------
    dict of str to int
        ``EndpointPutToSleep``: how many instances were ended.
    """
    instances = 0
    if config.endpoint_name:
        sagemaker = clients.client("sagemaker")
        found = sagemaker.describe_endpoint(EndpointName=config.endpoint_name)
        (variant,) = found.get("ProductionVariants") or [{}]  # none while it is being made
        running = int(variant.get("CurrentInstanceCount", 0))
        # While it is updated it takes no other change, and needs its instance to be looked at.
        awake = found["EndpointStatus"] == "InService" and running > 0
        if _idle_for(config, moment, awake) >= IDLE:
            sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=config.endpoint_name,
                DesiredWeightsAndCapacities=[
                    {"VariantName": variant["VariantName"], "DesiredInstanceCount": 0}
                ],
            )
            instances = running
            logger.warning("An idle endpoint was put to sleep", extra={"instances": instances})
            count("EndpointPutToSleep", instances)
    return {"EndpointPutToSleep": instances}


def _idle_for(config: ReconcileSettings, moment: datetime, awake: bool) -> timedelta:
    """How long it has been awake without anything that waits, was sent or was answered."""
    tokens = TokenStore(config.tokens_table)
    table = clients.table(config.tokens_table)
    window = tokens.window()
    if not awake or window.sent or tokens.waiting():
        table.delete_item(Key=_MARK)
        return timedelta()
    mark = table.get_item(Key=_MARK, ConsistentRead=True).get("Item", {})
    if mark.get("version") == window.version:
        return moment - datetime.fromisoformat(str(mark["since"]))
    # Each request changes the window's version twice: none can come and go unseen.
    table.update_item(
        Key=_MARK,
        UpdateExpression="SET #version = :version, since = :since",
        ExpressionAttributeNames={"#version": "version"},
        ExpressionAttributeValues={":version": window.version, ":since": iso(moment)},
    )
    return timedelta()
