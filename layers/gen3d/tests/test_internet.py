"""What is fetched from a stranger's address, and everything that is not."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from gen3d.errors import AddressRefused, FetchFailed, Gen3DError, ImageTooLarge
from gen3d.internet import MAX_ANSWER, MAX_URL, Internet, is_public
from layers.gen3d.tests.web import Web, certificate, served

MOST = 1000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with served(tmp_path) as server:
        yield server


def refused(internet: Internet, url: str) -> Gen3DError:
    with pytest.raises((AddressRefused, FetchFailed, ImageTooLarge)) as caught:
        internet.fetch(url, MOST)
    return caught.value


def leads(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let names lead to these addresses, to the last of them each time after; gives who asked."""
    asked: list[str] = []
    rest = list(answers)

    def look_up(host: str, port: int, *_: object) -> list[Any]:
        asked.append(host)
        address = rest.pop(0) if len(rest) > 1 else rest[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_photo_is_fetched(web: Web) -> None:
    web.sends(b"photo")
    found = web.internet().fetch(f"{web.url}of%20mine/cup.jpg?size=1", MOST)
    assert (found.data, found.media_type, found.name) == (b"photo", "image/jpeg", "cup.jpg")
    assert web.asked == ["/of%20mine/cup.jpg?size=1"]


def test_three_redirects_are_followed_and_no_fourth(web: Web) -> None:
    web.leads_to("/a", f"{web.url}b", "c")
    assert web.internet().fetch(web.url, MOST).data == b"photo"
    assert web.asked == ["/", "/a", "/b", "/c"]
    web.leads_to("/a", "/b", "/c", "/d")
    error = refused(web.internet(), web.url)
    assert isinstance(error, AddressRefused)
    assert "more than 3 times" in error.message


# Addresses that are none


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/cup.jpg",
        "ftp://example.com/cup.jpg",
        "file:///etc/passwd",
        "//example.com/cup.jpg",
        "cup.jpg",
        "",
        "https://",
        "https:///cup.jpg",
        "https://user@example.com/",
        "https://example.com:443@10.0.0.1/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://example.com/a\r\nHost: b",
        "https://example.com/a b",
        "https://exämple.com/",
        f"https://example.com/{'a' * MAX_URL}",
    ],
)
def test_what_is_no_address_of_https_is_refused(url: str) -> None:
    assert isinstance(refused(Internet(), url), AddressRefused)


PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "[64:ff9b:1::808:808]",
    "[3fff::1]",
    "[5f00::1]",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_nothing_is_fetched_from_a_private_address(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it connects"))
    error = refused(Internet(), f"https://{host}/latest/meta-data/")
    assert isinstance(error, AddressRefused), error
    assert "public addresses alone" in error.message


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]
)
def test_a_public_address_is_allowed_by_the_port_of_https(address: str) -> None:
    assert is_public(address, 443)
    assert not is_public(address, 22)


def test_nothing_is_fetched_from_a_name_that_leads_to_a_private_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leads(monkeypatch, "10.0.0.7")
    assert isinstance(refused(Internet(), "https://intranet.example.com/"), AddressRefused)


def test_one_private_address_among_a_names_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    assert isinstance(refused(Internet(), "https://example.com/"), AddressRefused)


def test_a_name_that_changes_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once, and the connection goes to the address that was checked."""
    asked = leads(monkeypatch, "93.184.216.34", "127.0.0.1")
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    refused(Internet(), "https://rebinds.example.com/")
    assert asked == ["rebinds.example.com"]
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "to",
    [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "http://localhost/",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_leads_to_no_private_address(web: Web, to: str) -> None:
    web.leads_to(to)
    assert isinstance(refused(web.internet(), web.url), AddressRefused)
    assert web.asked == ["/"]


# What lies there is nothing


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = refused(Internet(), "https://nowhere.example.com/")
    assert error.message == "There is no server called nowhere.example.com. Check the address."


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(404, "nothing at the photo's address"), (410, "nothing at"), (403, "answered 403"),
     (500, "answered 500"), (204, "answered 204"), (304, "answered 304")],
)  # fmt: skip
def test_an_answer_that_is_none(web: Web, status: int, sentence: str) -> None:
    web.answer = lambda request: request.send_error(status)
    error = refused(web.internet(), web.url)
    assert isinstance(error, FetchFailed)
    assert sentence in error.message


def test_nobody_listens(tmp_path: Path) -> None:
    with served(tmp_path) as web:
        internet = web.internet()
    error = refused(internet, web.url)
    assert error.message == "localhost did not answer as a web server does. Check the address."


def test_what_is_said_to_be_too_large_is_not_read(web: Web) -> None:
    web.sends(b"", length=str(MOST + 1))
    assert isinstance(refused(web.internet(), web.url), ImageTooLarge)


def test_what_never_ends_is_read_until_it_is_too_large(web: Web) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 400)
        except OSError:
            request.close_connection = True

    web.answer = endless
    error = refused(web.internet(), web.url)
    assert isinstance(error, ImageTooLarge)


def test_what_is_cut_off_is_no_photo(web: Web) -> None:
    web.sends(b"half of it", length="20")
    assert "cut off" in refused(web.internet(), web.url).message
    web.sends(b"packed", Content_Encoding="gzip")
    assert "packed" in refused(web.internet(), web.url).message


@pytest.mark.parametrize("part", ["handshake", "headers", "body"])
def test_all_of_it_has_one_time(web: Web, part: str) -> None:
    """However often something comes: a server that sends a letter a second is read for days."""
    ends = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        if part == "body":
            request.send_response(200)
            request.end_headers()
        else:
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            for n in range(100):
                if ends.wait(0.05):
                    break
                request.wfile.write(f"X-{n}: y\r\n".encode())
        except OSError:
            request.close_connection = True

    web.answer = slow
    if part == "handshake":
        web.server.finish_request = lambda *_: ends.wait(5)  # type: ignore
    began = time.monotonic()
    error = refused(web.internet(seconds=0.4), web.url)
    ends.set()
    assert time.monotonic() - began < 3
    assert isinstance(error, FetchFailed)
    assert "within 0.4 seconds" in error.message


def test_a_name_that_is_looked_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ends.wait(5) and [])
    error = refused(Internet(seconds=0.2), "https://example.com/")
    ends.set()
    assert "within 0.2 seconds" in error.message


# Certificates


def test_a_certificate_that_nobody_vouches_for(web: Web) -> None:
    internet = Internet(web.allows, ssl.create_default_context)
    error = refused(internet, web.url)
    assert isinstance(error, FetchFailed)
    assert "certificate of localhost does not hold" in error.message


def test_a_certificate_of_another_name(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    leads(monkeypatch, "127.0.0.1")
    error = refused(web.internet(), f"https://other.example.com:{web.port}/")
    assert "certificate of other.example.com does not hold" in error.message


def test_a_certificate_whose_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.gen3d.tests.web.certificate", lambda f: certificate(f, days=-1))
    with served(tmp_path) as web:
        assert "expired" in refused(web.internet(), web.url).message


# What is sent


HEADERS = {"Content-Type": "application/json", "webhook-id": "event-1"}


def answers(status: int, body: bytes = b"", **headers: str) -> Any:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_what_is_sent_arrives_as_it_is_and_is_answered(web: Web) -> None:
    web.answer = answers(202, b"thanks")
    answered = web.internet().send(f"{web.url}hook?x=1", b'{"a": 1}', HEADERS)
    assert (answered.status, answered.text) == (202, "thanks")
    (posted,) = web.posted
    assert (posted.path, posted.body) == ("/hook?x=1", b'{"a": 1}')
    assert posted.headers["webhook-id"] == "event-1"
    assert posted.headers["User-Agent"] == "Gen3D"


def test_where_an_answer_leads_on_nobody_follows(web: Web) -> None:
    web.answer = answers(307, Location=f"{web.url}elsewhere")
    assert web.internet().send(web.url, b"{}", HEADERS).status == 307
    assert [posted.path for posted in web.posted] == ["/"]


def test_of_a_long_answer_the_beginning_is_kept(web: Web) -> None:
    web.answer = answers(500, b"\xff" + b"y" * 100_000)
    answered = web.internet().send(web.url, b"{}", HEADERS)
    assert len(answered.text) == MAX_ANSWER
    assert answered.text.startswith("\N{REPLACEMENT CHARACTER}y")


def test_who_answers_letter_by_letter_is_given_up(web: Web) -> None:
    def slowly(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        for _ in range(100):
            request.wfile.write(b"y")
            request.wfile.flush()
            time.sleep(0.05)

    web.answer = slowly
    with pytest.raises(FetchFailed, match=r"did not answer within 0\.5 seconds"):
        web.internet(seconds=0.5).send(web.url, b"{}", HEADERS)


def test_who_never_answers_is_given_up(web: Web) -> None:
    over = threading.Event()

    def never(_request: BaseHTTPRequestHandler) -> None:
        over.wait(5)

    web.answer = never
    with pytest.raises(FetchFailed, match="register another address"):
        web.internet(seconds=0.3).send(web.url, b"{}", HEADERS)
    over.set()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.8/",
        "https://8.8.8.8:8443/",
        "https://ada:secret@8.8.8.8/",
    ],
)
def test_to_these_nothing_is_sent_nor_registered(url: str) -> None:
    for ask in (Internet().check, lambda url: Internet().send(url, b"{}", HEADERS)):
        with pytest.raises(AddressRefused) as caught:
            ask(url)
        assert "photo" not in caught.value.message


def test_an_address_is_checked_and_asked_nothing(web: Web) -> None:
    web.internet().check(web.url)
    assert (web.asked, web.posted) == ([], [])


def test_a_name_that_leads_inside_later_is_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    leads(monkeypatch, "8.8.8.8", "10.0.0.8")
    Internet().check("https://hooks.example/")
    with pytest.raises(AddressRefused, match=r"Nothing is sent to hooks\.example"):
        Internet().send("https://hooks.example/", b"{}", HEADERS)
