"""The one logger, tracer and metrics of a function, set up from its environment."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
tracer = Tracer()
metrics = Metrics()


def count(name: str, value: float = 1) -> None:
    """Count an event of Gen3D's, such as ``JobCreated`` or ``MailFailed``."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
