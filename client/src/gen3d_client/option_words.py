"""What is chosen for an object, as ``PART.NAME=VALUE``; what there is to choose, the API says."""

import re
from collections.abc import Iterable

from gen3d_client.errors import ApiClientError
from gen3d_client.models import Offered, Offers

Options = dict[str, dict[str, str | int]]
"""By part, ``engine`` or ``mesh``, and name."""


def parse(texts: Iterable[str]) -> Options:
    """Read options, such as ``mesh.quality=fine``.

    Raises
    ------
    ApiClientError
        One is not of this form. What there is to choose the API knows, not this.
    """
    options: Options = {}
    for text in texts:
        found = re.fullmatch(r"\s*(\w+)\.(\w+)=(\S+)\s*", text)
        if found is None:
            raise ApiClientError(
                f"{text!r} is no option. Write PART.NAME=VALUE, such as mesh.quality=fine."
            )
        part, name, value = found.groups()
        whole = re.fullmatch(r"-?\d{1,18}", value)
        options.setdefault(part, {})[name] = int(value) if whole else value
    return options


def written(offers: Offers) -> str:
    """What may be chosen, in the form in which it is read."""
    return " ".join(
        f"{part}.{name}={_values(offered)}"
        for part, named in offers.items()
        for name, offered in named.items()
    )


def _values(offered: Offered) -> str:
    if offered.values is not None:
        return "|".join(map(str, offered.values))
    return f"{offered.minimum}–{offered.maximum}"
