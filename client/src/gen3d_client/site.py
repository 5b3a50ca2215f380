"""Where a Gen3D is: an address as a person writes it, and what its page is told of the stack."""

import ipaddress
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from gen3d_client.dialogue import Dialogue, Send, send
from gen3d_client.errors import ApiClientError, Unreachable

CONFIG = "config.json"


class Site(BaseModel):
    """A deployed stack, as ``config.json`` beside its page says it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    address: str = ""
    """The page's; what a person names it by."""
    region: str
    api_url: str
    user_pool_id: str
    user_pool_client_id: str
    self_sign_up: bool = True
    endpoint: str | None = None
    """One address for every service, where the stack runs on one machine."""

    @property
    def cognito(self) -> str:
        """Who signs people in."""
        return self.endpoint or f"https://cognito-idp.{self.region}.amazonaws.com"


def normal(address: str) -> str:
    """An address as it is kept: with its scheme, without what comes behind the host.

    Raises
    ------
    ApiClientError
        It is none, or one at which a password could be read on its way.
    """
    text = address.strip()
    here = text.split("/")[0].split(":")[0] in ("localhost", "127.0.0.1")
    parts = urlsplit(text if "://" in text else f"{'http' if here else 'https'}://{text}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in parts.netloc:
        raise ApiClientError(
            f"{address!r} is no address. Name the page's, such as https://d111.cloudfront.net, "
            "or http://localhost:20005 while `make run` is up."
        )
    if parts.scheme == "http" and not is_here(parts.hostname):
        raise ApiClientError(
            f"{address} would be spoken to without TLS, and whoever listens could read it. "
            "Write https://."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse(text: bytes | str, address: str) -> Site:
    """Read ``config.json``.

    Raises
    ------
    Unreachable
        It is none, or leads where nobody may be sent who is asked for a password.
    """
    try:
        site = Site.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or CONFIG
        raise Unreachable(
            f"{address or CONFIG} is no Gen3D ({where}: {first['msg']}). "
            "Name the address of its page."
        ) from None
    site = site.model_copy(update={"address": address, "api_url": site.api_url.rstrip("/")})
    for url in filter(None, (site.api_url, site.endpoint)):
        parts = urlsplit(url)
        here = is_here(parts.hostname or "")
        if parts.scheme != "https" and not here:
            raise Unreachable(f"{CONFIG} of {address} names {url}, which is not encrypted.")
    if site.endpoint and not is_here(urlsplit(site.endpoint).hostname or ""):
        raise Unreachable(f"{CONFIG} of {address} has people sign in at {site.endpoint}.")
    return site


def find(address: str) -> Dialogue[Site]:
    """Ask an address what is there.

    Raises
    ------
    Unreachable
        Nothing answers, or it is no Gen3D.
    """
    address = normal(address)
    try:
        answer = yield from send(Send("GET", f"{address}/{CONFIG}"))
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{address} does not answer ({error or type(error).__name__}). Is the address right?"
        ) from None
    if answer.is_redirect:
        to = urlsplit(answer.headers.get("location", ""))
        elsewhere = to.scheme and to.netloc and f"{to.scheme}://{to.netloc}" != address
        hint = f"It leads to {to.scheme}://{to.netloc}. " if elsewhere else ""
        raise Unreachable(f"{address} is no Gen3D. {hint}Name the address of its page.")
    if not answer.is_success:
        raise Unreachable(
            f"{address} is no Gen3D: {CONFIG} answers {answer.status_code}. "
            "Name the address of its page."
        )
    return parse(answer.content, address)
