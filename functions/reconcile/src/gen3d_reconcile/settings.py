"""What the reconcile function is told by its environment."""

from gen3d.settings import Given
from gen3d_aws.dispatch import QueueSettings


class ReconcileSettings(QueueSettings):
    """The variables of ReconcileFunction."""

    jobs_table: Given
    state_machine_arn: Given
    notify_function: Given
