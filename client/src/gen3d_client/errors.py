"""What the client gives up on."""


class ApiClientError(Exception):
    """Something that the person at the terminal can mend; the message says how."""
