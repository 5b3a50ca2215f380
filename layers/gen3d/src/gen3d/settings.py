"""What a function is told by its environment, read once and typed."""

from functools import cache

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables by their names in ``template.yaml``, in lower case.

    Each function is given only those that it needs; a test holds the two lists together.
    """

    bucket: str = ""
    jobs_table: str = ""
    tokens_table: str = ""
    idempotency_table: str = ""
    state_machine_arn: str = ""
    identity_pool_id: str = ""
    user_pool_id: str = ""
    engine: str = ""
    endpoint_name: str = ""
    invocation_timeout_seconds: int = 900
    request_ttl_seconds: int = 3000
    max_instances: int = 1
    retention_days: int = 30
    max_running_jobs: int = 10
    max_jobs_per_day: int = 100
    max_queued_objects: int = 24
    notify_function: str = ""
    sender_email: str = ""
    admin_email: str = ""
    admin_notices: str = "all"
    configuration_set: str = ""
    web_url: str = ""
    log_groups: str = ""
    aws_region: str = "us-east-1"


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
