"""Asks at a stranger's address, and nowhere but in the public internet: fetches and sends.

Whoever may name an address has this service ask there: for the credentials of its own machine, or
for what stands behind its network's wall. So a name is looked up once, each address that it leads
to is checked, and the connection goes to one that was: no later answer of a name's server leads
elsewhere. A redirect is a new address, of which all is checked again; what is sent follows none.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookupTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from gen3d.errors import AddressRefused, FetchFailed, ImageTooLarge

T = TypeVar("T")

SECONDS = 15.0
"""For all of it: names, redirects, handshakes and the last byte."""
REDIRECTS = 3
MAX_URL = 2048
MAX_ANSWER = 1000
"""Bytes that are kept of what was answered to something sent."""

_CHUNK = 64 * 1024
_MOVED = (301, 302, 303, 307, 308)
_AGENT = {"Accept-Encoding": "identity", "User-Agent": "Gen3D"}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OLD_IPV4 = ipaddress.ip_network("::/96")
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "100:0:0:1::/64", "3fff::/20",
         "5f00::/16"),
    )
)  # fmt: skip
"""Of IANA's registries of special addresses what a Python may be too old to know of."""


def is_public(address: str, port: int) -> bool:
    """Whether anybody on the internet could ask there; by the port of https alone.

    An IPv6 address that stands for one of IPv4 is looked at as that.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        elif ip in _OLD_IPV4 or ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
    if any(ip in network for network in _SPECIAL):
        return False
    return port == 443 and ip.is_global and not ip.is_multicast and not ip.is_reserved


@cache
def _public_tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(frozen=True)
class Internet:
    """What may be asked, and whose certificates are believed; tests have a smaller one."""

    allows: Callable[[str, int], bool] = is_public
    tls: Callable[[], ssl.SSLContext] = _public_tls
    seconds: float = SECONDS

    def fetch(self, url: str, most: int) -> "Fetched":
        """Get what lies at an address.

        Parameters
        ----------
        url : str
        most : int
            Bytes that it may have.

        Raises
        ------
        AddressRefused
            It is none of https's, or leads to where nothing is fetched from.
        FetchFailed
            There is nothing, or it did not come in time.
        ImageTooLarge
        """
        watch = self._watch(_PHOTO)

        def read(parts: SplitResult, answer: http.client.HTTPResponse) -> "Fetched | str":
            if answer.status in _MOVED and (moved := answer.headers.get("Location")):
                return str(moved)
            return _read(answer, parts, most, watch)

        asked = _Asked("GET", {"Accept": "image/*"})
        for _ in range(REDIRECTS + 1):
            found = self._ask(url, asked, watch, read)
            if isinstance(found, Fetched):
                return found
            url = urljoin(url, found)
        raise AddressRefused(
            f"The address leads on more than {REDIRECTS} times. Give the one where the photo lies."
        )

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> "Answered":
        """Post something to an address; where that leads on, nobody follows.

        Parameters
        ----------
        url : str
        body : bytes
        headers : mapping

        Raises
        ------
        AddressRefused
            It is none of https's, or leads to where nothing is sent.
        FetchFailed
            Nobody answered there, or not in time.
        """
        watch = self._watch(_MESSAGE)

        def read(parts: SplitResult, answer: http.client.HTTPResponse) -> Answered:
            text = answer.read(MAX_ANSWER).decode(errors="replace")
            if watch.over:
                raise watch.late(parts.hostname or "")
            return Answered(answer.status, text)

        return self._ask(url, _Asked("POST", headers, body), watch, read)

    def check(self, url: str) -> None:
        """Look whether something would be sent to an address, and send nothing.

        Raises
        ------
        AddressRefused
        FetchFailed
            It names no server.
        """
        watch = self._watch(_MESSAGE)
        parts = _parts(url, watch.errand)
        self._address(parts.hostname or "", parts.port or 443, watch)

    def _watch(self, errand: "_Errand") -> "_Watch":
        return _Watch(time.monotonic() + self.seconds, self.seconds, errand)

    def _ask(
        self,
        url: str,
        asked: "_Asked",
        watch: "_Watch",
        read: "Callable[[SplitResult, http.client.HTTPResponse], T]",
    ) -> T:
        """What is read of a server's answer."""
        parts = _parts(url, watch.errand)
        host, port = parts.hostname or "", parts.port or 443
        connection = _Pinned(host, port, self._address(host, port, watch), self.tls(), watch)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(asked.method, path, asked.body, {**_AGENT, **asked.headers})
            with connection.getresponse() as answer:
                return read(parts, answer)
        except (AddressRefused, FetchFailed, ImageTooLarge):
            raise
        except Exception as error:
            raise _why(error, host, watch) from None
        finally:
            watch.leave()
            connection.close()

    def _address(self, host: str, port: int, watch: "_Watch") -> str:
        """An address of the host that was checked, as all are that it has."""
        found = _look_up(host, port, watch)
        if not found or not all(self.allows(address, port) for address in found):
            raise AddressRefused(watch.errand.refused.format(host=host))
        return found[0]


PUBLIC = Internet()
"""As everybody has it."""


@dataclass(frozen=True)
class Fetched:
    """What lay there."""

    data: bytes = field(repr=False)
    media_type: str
    """As its server called it, which need not be true."""
    name: str
    """The last part of the address that it came from."""


@dataclass(frozen=True)
class Answered:
    """What somebody answered to what was sent."""

    status: int
    text: str
    """Its beginning."""


@dataclass(frozen=True)
class _Errand:
    """What a server is asked for, as its failures are told."""

    address: str
    refused: str
    late: str
    instead: str
    """What to do where this address serves nothing."""


_PHOTO = _Errand(
    "The photo's address",
    "Nothing is fetched from {host}: photos are fetched over https, port 443, from public "
    "addresses alone. Upload the photo instead.",
    "did not send the photo",
    "upload the photo",
)
_MESSAGE = _Errand(
    "The webhook's address",
    "Nothing is sent to {host}: webhooks are sent over https, port 443, to public addresses "
    "alone. Register another address.",
    "did not answer",
    "register another address",
)


@dataclass(frozen=True)
class _Asked:
    """A request, but for where."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass
class _Watch:
    """Ends a connection when its time is over, whatever it does at that moment."""

    until: float
    seconds: float
    errand: _Errand
    over: bool = False
    _timer: threading.Timer | None = None

    @property
    def left(self) -> float:
        return max(self.until - time.monotonic(), 0.001)

    def over_socket(self, sock: socket.socket) -> None:
        """Watch a connection."""
        self._timer = threading.Timer(self.left, self._end, [sock])
        self._timer.daemon = True
        self._timer.start()

    def leave(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def late(self, host: str) -> FetchFailed:
        return FetchFailed(
            f"{host} {self.errand.late} within {self.seconds:g} seconds. "
            f"Try again, or {self.errand.instead}."
        )

    def _end(self, sock: socket.socket) -> None:
        self.over = True
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which another thread reads


class _Pinned(http.client.HTTPSConnection):
    """A connection to an address that was checked, for the host whose name led there."""

    def __init__(
        self, host: str, port: int, address: str, tls: ssl.SSLContext, watch: _Watch
    ) -> None:
        super().__init__(host, port, context=tls)
        self._at, self._tls, self._watch = address, tls, watch

    def connect(self) -> None:
        raw = socket.create_connection((self._at, self.port), self._watch.left)
        sock = self._tls.wrap_socket(raw, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = sock
        self._watch.over_socket(sock)
        sock.do_handshake()


def _parts(url: str, errand: _Errand) -> SplitResult:
    """An address taken apart, if it is one of https's.

    Raises
    ------
    AddressRefused
    """
    wrong = "Give one that begins with https:// and says neither name nor password."
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise AddressRefused(f"{errand.address} is none. {wrong}") from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not plain:
        raise AddressRefused(f"{errand.address} is not taken. {wrong}")
    if len(url) > MAX_URL:
        raise AddressRefused(f"{errand.address} has more than {MAX_URL} letters. Shorten it.")
    return parts


def _look_up(host: str, port: int, watch: _Watch) -> list[str]:
    pool = ThreadPoolExecutor(1)
    try:
        asked = pool.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        return [str(info[4][0]) for info in asked.result(watch.left)]
    except LookupTimeout:
        raise watch.late(host) from None
    except (OSError, UnicodeError):
        raise FetchFailed(f"There is no server called {host}. Check the address.") from None
    finally:
        pool.shutdown(wait=False)


def _read(
    answer: http.client.HTTPResponse, parts: SplitResult, most: int, watch: _Watch
) -> Fetched:
    host = parts.hostname or ""
    if answer.status in (404, 410):
        raise FetchFailed(f"There is nothing at the photo's address on {host}. Check it.")
    if answer.status != 200:
        raise FetchFailed(
            f"{host} answered {answer.status} in the place of the photo. "
            "See that anybody may read the address, or upload the photo."
        )
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchFailed(f"{host} sends the photo packed. Upload it instead.")
    if (answer.length or 0) > most:
        raise _too_large(most)
    data = bytearray()
    while chunk := answer.read(_CHUNK):
        data += chunk
        if len(data) > most:
            raise _too_large(most)
    if watch.over:
        raise watch.late(host)
    if answer.length:
        raise _cut_off(host)
    name = unquote(parts.path.rpartition("/")[2])
    return Fetched(bytes(data), answer.headers.get_content_type(), name)


def _cut_off(host: str) -> FetchFailed:
    return FetchFailed(f"The photo from {host} was cut off on its way. Try again.")


def _too_large(most: int) -> ImageTooLarge:
    return ImageTooLarge(
        f"What lies at the address has more than {most // 2**20} MB. "
        "Give the address of a smaller photo."
    )


def _why(error: Exception, host: str, watch: _Watch) -> FetchFailed:
    if watch.over or isinstance(error, TimeoutError):
        return watch.late(host)
    if isinstance(error, ssl.SSLCertVerificationError):
        return FetchFailed(
            f"The certificate of {host} does not hold ({error.verify_message}). "
            f"Give another address, or {watch.errand.instead}."
        )
    if isinstance(error, ssl.SSLError):
        instead = f"{watch.errand.instead} instead".capitalize()
        return FetchFailed(f"{host} speaks no https that is taken. {instead}.")
    if isinstance(error, http.client.IncompleteRead):
        return _cut_off(host)
    return FetchFailed(f"{host} did not answer as a web server does. Check the address.")
