"""What the notify function is told by its environment."""

from typing import Literal

from gen3d.settings import Given, Settings


class NotifySettings(Settings):
    """The variables of NotifyFunction."""

    jobs_table: Given
    idempotency_table: Given
    retention_days: int
    sender_email: Given
    admin_email: Given
    admin_notices: Literal["all", "failures"]
    configuration_set: Given
    aws_region: Given
    web_url: str
    log_groups: str
