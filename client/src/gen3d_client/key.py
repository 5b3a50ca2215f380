"""A key of a person's, by which a program is let in without anybody who signs in."""

import re

from gen3d_client.dialogue import Dialogue
from gen3d_client.errors import ApiClientError, SignInNeeded

VARIABLE = "GEN3D_KEY"
"""Of the environment: a key that counts more than what is kept."""

_FORM = re.compile(r"gen3d_([0-9a-f]{16})_[\w-]{43}", re.ASCII)


class Key:
    """A key, as it was shown once when it was made.

    Raises
    ------
    ApiClientError
        It has not the form of one, so that it is sent to nobody: it may be something else's secret.
    """

    def __init__(self, text: str) -> None:
        found = _FORM.fullmatch(text)
        if found is None:
            raise ApiClientError(
                "This is no key. One begins with gen3d_ and has 66 letters; it is shown once, "
                "where it is made: on the page under Keys, or by gen3d keys make."
            )
        self._text = text
        self.key_id = found[1]

    def headers(self, anew: bool) -> Dialogue[dict[str, str]]:
        """The headers to send.

        Raises
        ------
        SignInNeeded
            They were refused: nobody can renew a key.
        """
        if anew:
            raise SignInNeeded(
                f"The key {self.key_id} is not known here, or was withdrawn. Give another one, by "
                f"{VARIABLE} or gen3d login --key."
            )
        return {"Authorization": f"Bearer {self._text}"}
        yield  # a dialogue that asks nobody
