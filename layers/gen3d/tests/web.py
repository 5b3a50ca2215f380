"""A web server over https on this machine, whose answers a test says."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gen3d.internet import Internet

Answers = Callable[[BaseHTTPRequestHandler], None]


def certificate(folder: Path, days: int = 1) -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@dataclass(frozen=True)
class Posted:
    """Something that was posted."""

    path: str
    body: bytes
    headers: dict[str, str]


class Web:
    """The server.

    Attributes
    ----------
    answer : callable
        Answers the requests.
    asked : list of str
        Their paths.
    posted : list of Posted
        What was posted.
    """

    def __init__(self, folder: Path) -> None:
        self.answer: Answers = lambda request: request.send_error(404)
        self.asked: list[str] = []
        self.posted: list[Posted] = []
        self._files = certificate(folder)
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                web.answer(self)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.posted.append(Posted(self.path, body, dict(self.headers)))
                web.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"https://localhost:{self.port}/"
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*self._files)
        self.server.socket = tls.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )

    def internet(self, seconds: float = 5) -> Internet:
        """An internet that is this server alone."""
        tls = ssl.create_default_context(cafile=str(self._files[0]))
        return Internet(self.allows, lambda: tls, seconds)

    def allows(self, address: str, port: int) -> bool:
        """Whether it is this one."""
        return port == self.port and address in ("127.0.0.1", "::1")

    def sends(self, body: bytes, media_type: str = "image/jpeg", **headers: str) -> None:
        """Answer this."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Type", media_type)
            request.send_header("Content-Length", headers.pop("length", str(len(body))))
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            request.wfile.write(body)

        self.answer = answer

    def leads_to(self, *addresses: str) -> None:
        """Answer redirects, one after another, and a photo at last."""
        rest = list(addresses)

        def answer(request: BaseHTTPRequestHandler) -> None:
            if not rest:
                self.sends(b"photo")
                self.answer(request)
                return
            request.send_response(302)
            request.send_header("Location", rest.pop(0))
            request.send_header("Content-Length", "0")
            request.end_headers()

        self.answer = answer


@contextmanager
def served(folder: Path) -> Iterator[Web]:
    """The server, while it is needed."""
    web = Web(folder)
    thread = threading.Thread(target=web.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.server.shutdown()
        web.server.server_close()
        thread.join()
