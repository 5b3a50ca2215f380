"""Whom a request comes from: this machine, or a page of somebody else's in a browser on it.

The services take the developer's well-known keys, and Lambda runs what it is given. So a foreign
page, which a browser lets send requests anywhere, must not reach them; nor must a foreign name that
leads here.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

Headers = Iterable[tuple[bytes, bytes]]

_HERE = ("localhost", "127.0.0.1", "::1")


def has_our_name(headers: Headers) -> bool:
    """Whether the request asks for this machine, under a name that no stranger can give it."""
    host = dict(headers).get(b"host", b"").decode("latin-1")
    return _is_here(urlsplit(f"//{host}").hostname)


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another machine sent the request."""
    found = {name.lower(): value.decode("latin-1") for name, value in headers}
    origin = found.get(b"origin")
    if origin is not None:
        return not _is_here(urlsplit(origin).hostname)
    return found.get(b"sec-fetch-site") == "cross-site"


def _is_here(host: str | None) -> bool:
    return host is not None and (host in _HERE or host.endswith(".localhost"))
