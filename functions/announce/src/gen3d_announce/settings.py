"""What the announce function is told by its environment."""

from gen3d.settings import Given, Settings


class AnnounceSettings(Settings):
    """The variables of AnnounceFunction."""

    webhooks_table: Given
    deliveries_url: Given
    event_bus: Given
