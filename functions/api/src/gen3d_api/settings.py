"""What the API is told by its environment."""

from gen3d.settings import Given, Settings


class ApiSettings(Settings):
    """The variables of ApiFunction."""

    jobs_table: Given
    tokens_table: Given
    keys_table: Given
    shares_table: Given
    webhooks_table: Given
    deliveries_url: Given
    state_machine_arn: Given
    engine: Given
    identity_pool_id: Given
    user_pool_id: Given
    aws_region: Given
    web_url: Given
    retention_days: int
    max_running_jobs: int
    max_jobs_per_day: int
    max_queued_objects: int
