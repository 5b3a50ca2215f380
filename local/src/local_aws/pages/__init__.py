"""Pages for the developer: what runs, how it went, and which mails were sent."""

from local_aws.pages.app import Pages

__all__ = ["Pages"]
