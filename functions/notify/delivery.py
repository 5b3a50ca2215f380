"""Sends each mail once, through SES; again only where SES does not say what became of it.

``SendEmail`` knows no name by which a repetition could be told from another mail. A mail is
therefore claimed in a table before it is sent, and sent by one attempt: botocore would repeat a
request whose answer did not come in time, which SES may have taken. Where no answer came the claim
is given back, and the next try sends the mail: then it arrives **at least once**, not never.
"""

import time
import uuid
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import BotoCoreError, ClientError
from gen3d import clients
from gen3d.errors import MailFailed
from gen3d.observability import count, logger
from gen3d.settings import settings
from mails import Mail

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_sesv2 import SESV2Client

CONNECT_SECONDS = 3
READ_SECONDS = 15
"""Twice both, for the owner's mail and the admin's, leaves the function time for all else."""


def _ses() -> "SESV2Client":
    ses: SESV2Client = clients.client(
        "sesv2", attempts=1, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS
    )
    return ses


def deliver(key: str, mail: Mail, until: float) -> None:
    """Send a mail unless one with this key was sent before.

    Parameters
    ----------
    key : str
        What the mail is about: job, run, kind and role.
    mail : Mail
    until : float
        When this invocation ends, in seconds since 1970: a mail that its end cuts off may then be
        sent by another.

    Raises
    ------
    MailFailed
        SES refused, or did not answer; the next trigger or try sends it.
    """
    claim = _Claim(key)
    if not claim.take(until):
        logger.info("The mail was sent, or another trigger is sending it", extra={"mail": key})
        return
    try:
        _send(mail, key)
    except MailFailed:
        claim.give_back()
        raise
    claim.note_as_sent()


class _Claim:
    """The right to send one mail.

    It has a token of its own: where the answer to taking it is lost, botocore takes it again, and
    has to find it taken by itself.
    """

    def __init__(self, key: str) -> None:
        self._id = f"mail#{key}"
        self._token = str(uuid.uuid4())

    @property
    def _table(self) -> "Table":
        return clients.dynamodb().Table(settings().idempotency_table)

    def take(self, until: float) -> bool:
        """Whether the mail is this invocation's to send."""
        now = int(time.time())
        left = Attr("state").eq("SENDING") & Attr("until").lt(int(time.time() * 1000))
        free = Attr("id").not_exists() | Attr("ttl").lt(now) | left
        item: dict[str, Any] = {
            "id": self._id,
            "state": "SENDING",
            "claim": self._token,
            "until": int(until * 1000),
            "ttl": now + settings().retention_days * 86400,
        }
        try:
            self._table.put_item(
                Item=item, ConditionExpression=free | Attr("claim").eq(self._token)
            )
        except ClientError as error:
            if clients.error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def give_back(self) -> None:
        """Let another try send the mail at once, and not only when this invocation has ended."""
        self._quietly(
            lambda: self._table.delete_item(
                Key={"id": self._id}, ConditionExpression=Attr("claim").eq(self._token)
            )
        )

    def note_as_sent(self) -> None:
        """Let nobody send the mail again; where that fails it was sent nevertheless."""
        self._quietly(
            lambda: self._table.update_item(
                Key={"id": self._id},
                UpdateExpression="SET #state = :sent",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":sent": "SENT"},
            )
        )

    def _quietly(self, write: Any) -> None:
        try:
            write()
        except (ClientError, BotoCoreError):
            logger.exception("What became of a mail is not noted", extra={"mail": self._id})


def _send(mail: Mail, key: str) -> None:
    s = settings()
    try:
        _ses().send_email(
            FromEmailAddress=s.sender_email,
            Destination={"ToAddresses": [mail.to]},
            Content={"Raw": {"Data": _mime(mail, s.sender_email).as_bytes()}},
            ConfigurationSetName=s.configuration_set,
        )
    except (ClientError, BotoCoreError) as error:
        count("MailFailed")
        logger.exception("A mail was not taken", extra={"mail": key})
        raise MailFailed(
            f"The mail could not be sent: {error}. "
            "In the SES sandbox both sender and recipient have to be verified."
        ) from None
    count("MailSent")


def _mime(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = f"Gen3D <{sender}>"
    message["To"] = mail.to
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    html = message.get_body(("html",))
    assert isinstance(html, EmailMessage)
    for cid, picture in mail.pictures.items():
        html.add_related(
            picture, "image", "png", disposition="inline", cid=f"<{cid}>", filename=f"{cid}.png"
        )
    return message
