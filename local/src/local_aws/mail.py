"""SES's outbox: who may send is checked, and what was sent is kept to be read.

What the user pool mails, such as the code of a sign-up, goes past SES's API and is kept as well.

ministack asks IAM about no sender and forgets the pictures of a raw message.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from ministack import app as ministack
from ministack.services import ses

from local_aws.services import Query, Response
from local_aws.settings import ACCOUNT, REGION

_SEND = "/v2/email/outbound-emails"


@dataclass(frozen=True)
class Mail:
    """A mail that was sent."""

    id: str
    sent: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str


class _Text(TypedDict):
    Data: str


class _Body(TypedDict, total=False):
    Text: _Text
    Html: _Text


class _Simple(TypedDict, total=False):
    Subject: _Text
    Body: _Body


class _Content(TypedDict, total=False):
    Raw: _Text
    Simple: _Simple


class _Destination(TypedDict, total=False):
    ToAddresses: list[str]


class SendEmail(TypedDict, total=False):
    """A request to send a mail, as JSON."""

    FromEmailAddress: str
    Destination: _Destination
    Content: _Content
    ConfigurationSetName: str


class Mailbox:
    """Keeps each mail as an ``.eml`` file.

    Parameters
    ----------
    folder : pathlib.Path
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def install(self) -> None:
        """Take over SES's SendEmail from ministack, which still checks the addresses."""
        self._keep_the_pools()
        enforce = ministack._enforce_ses_v2
        handle = ministack._handle_ses_v2_request

        def authorize(
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query: Query,
            request_id: str,
        ) -> Response | None:
            if path == _SEND and method == "POST":
                return _denied(json.loads(body), headers, query, request_id)
            refusal: Response | None = enforce(method, path, headers, body, query, request_id)
            return refusal

        async def send(
            method: str, path: str, headers: dict[str, str], body: bytes, *rest: object
        ) -> Response | None:
            answer: Response | None = await handle(method, path, headers, body, *rest)
            if path == _SEND and method == "POST" and answer is not None and answer[0] == 200:
                self._keep(json.loads(body))
            return answer

        ministack._enforce_ses_v2 = authorize
        ministack._handle_ses_v2_request = send

    def _keep_the_pools(self) -> None:
        record = ses.send_internal_email

        def send(
            source: str,
            to_addrs: list[str],
            subject: str,
            body_text: str = "",
            body_html: str = "",
            **more: object,
        ) -> object:
            sent: object = record(source, to_addrs, subject, body_text, body_html, **more)
            body: _Body = {"Text": {"Data": body_text}}
            if body_html:
                body["Html"] = {"Data": body_html}
            self._keep(
                {
                    "FromEmailAddress": source,
                    "Destination": {"ToAddresses": to_addrs},
                    "Content": {"Simple": {"Subject": {"Data": subject}, "Body": body}},
                }
            )
            return sent

        ses.send_internal_email = send

    def mails(self) -> list[Mail]:
        """Every mail, newest first."""
        return [_read(path) for path in sorted(self._folder.glob("*.eml"), reverse=True)]

    def mail(self, mail_id: str) -> Mail | None:
        """One mail, or None."""
        path = self._folder / f"{mail_id}.eml"
        return _read(path) if re.fullmatch(r"[\w-]+", mail_id) and path.exists() else None

    def _keep(self, request: SendEmail) -> None:
        content = request["Content"]
        if "Raw" in content:
            message = base64.b64decode(content["Raw"]["Data"])
        else:
            message = _simple(request).as_bytes()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        (self._folder / f"{stamp}-{uuid4().hex[:6]}.eml").write_bytes(message)


def _denied(
    request: SendEmail, headers: dict[str, str], query: Query, request_id: str
) -> Response | None:
    """Ask IAM as SES does: about the sender's identity and about the configuration set."""
    action = "ses:SendRawEmail" if "Raw" in request.get("Content", {}) else "ses:SendEmail"
    sender = request.get("FromEmailAddress", "")
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:"
    resources = [f"{arn}identity/{sender}"]
    if request.get("ConfigurationSetName"):
        resources.append(f"{arn}configuration-set/{request['ConfigurationSetName']}")
    for resource in resources:
        denied: Response | None = ministack._enforce_data_plane(
            "sesv2",
            action,
            headers,
            query,
            request_id,
            resource_arn=resource,
            service_context={"ses:FromAddress": sender},
            named_resource=resource,
        )
        if denied:
            return denied
    return None


def _simple(request: SendEmail) -> EmailMessage:
    simple = request["Content"].get("Simple", {})
    body = simple.get("Body", {})
    message = EmailMessage()
    message["Subject"] = simple.get("Subject", {}).get("Data", "")
    message["From"] = request.get("FromEmailAddress", "")
    message["To"] = ", ".join(request.get("Destination", {}).get("ToAddresses", []))
    message.set_content(body.get("Text", {}).get("Data", ""))
    if "Html" in body:
        message.add_alternative(body["Html"]["Data"], subtype="html")
    return message


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    sent = datetime.strptime(path.stem.split("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return Mail(
        id=path.stem,
        sent=sent,
        sender=str(message["From"]),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=str(plain.get_content()) if plain else "",
        html=_with_pictures(str(html.get_content()), message) if html else "",
    )


def _with_pictures(html: str, message: EmailMessage) -> str:
    """Put the attached pictures into the page, so that it stands by itself."""
    for part in message.walk():
        cid = str(part["Content-ID"] or "").strip("<>")
        if cid:
            content = part.get_payload(decode=True)
            data = base64.b64encode(content if isinstance(content, bytes) else b"").decode()
            html = html.replace(f"cid:{cid}", f"data:{part.get_content_type()};base64,{data}")
    return html
