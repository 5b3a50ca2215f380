"""What the authorizer is told by its environment."""

from gen3d.settings import Given, Settings


class AuthorizeSettings(Settings):
    """The variables of AuthorizeFunction."""

    keys_table: Given
    user_pool_id: Given
    user_pool_client_id: Given
    aws_region: Given
