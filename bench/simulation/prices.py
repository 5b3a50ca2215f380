"""Instance types, their dated prices, and how long each is taken to work. The one place of both."""

from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

DATED = "2026-07"
"""Of the prices: us-east-1, on demand, in USD, from public copies of AWS's price list."""

HOURS_A_MONTH = 730
START_MINUTES = (5.0, 9.0)
"""From waking to the first answer: expected, not measured."""
IDLE_MINUTES = 11.0
"""Ten without work, and one until the alarm has seen it."""


@dataclass(frozen=True)
class InstanceType:
    """An instance type as the endpoint's.

    Attributes
    ----------
    name : str
    hourly : float
        USD an hour.
    initialize, reconstruct : float
        Seconds an invocation takes: a photo, an object.
    """

    name: str
    hourly: float
    initialize: float
    reconstruct: float

    @property
    def job(self) -> float:
        """Seconds of a job with one object."""
        return self.initialize + self.reconstruct


G6E = InstanceType("ml.g6e.2xlarge", 2.80, 1.5, 37)
G5 = InstanceType("ml.g5.2xlarge", 1.515, 2, 98)
G6 = InstanceType("ml.g6.2xlarge", 1.222, 2, 122)
LITE = InstanceType("ml.c7i.xlarge", 0.21, 1.8, 7.0)

TYPES = (G6E, G5, G6, LITE)

SECONDS_COME_FROM = (
    "lite's seconds were measured in its image on a busy machine (1.8 and 7.0). Those of the GPUs "
    "are the 12.2 s that SAM 3D Objects takes on an NVIDIA H200, times 3 (L40S, g6e), 8 (A10G, g5) "
    "and 10 (L4, g6), which are guesses. The price of ml.c7i.xlarge is one, too"
)

ALARMS = TEMPLATE.read_text().count("Type: AWS::CloudWatch::Alarm")
"""Of the template's; the scaling policy adds some."""

IDLE_MONTH = {
    "KMS key": 1.00,
    "secret": 0.40,
    "alarms beyond the ten free ones": 0.10 * (ALARMS - 10),
    "17 GB of weights in S3 (sam)": 0.39,
    "an image in ECR (sam)": 0.50,
}
"""USD a month while nobody comes."""


def lone_job(kind: InstanceType) -> tuple[float, float]:
    """USD for a job that wakes an instance and is followed by none: least and most."""
    least, most = (
        kind.hourly * (start * 60 + kind.job + IDLE_MINUTES * 60) / 3600 for start in START_MINUTES
    )
    return least, most


def job_while_awake(kind: InstanceType) -> float:
    """USD for one more job while an instance runs anyway."""
    return kind.hourly * kind.job / 3600


def stuck_month(kind: InstanceType) -> float:
    """USD for an instance that nothing ends."""
    return kind.hourly * HOURS_A_MONTH
