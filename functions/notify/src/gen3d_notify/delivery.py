"""Sends each mail **at least once** through SES, and twice only where nobody knows of the first.

``SendEmail`` knows no name by which a repetition could be told from another mail. A mail is
therefore claimed in a table before it is sent, and sent by one attempt: botocore would repeat a
request whose answer did not come in time, which SES may have taken. A claim lasts as long as an
attempt may. Nobody takes another's claim for a mail that was sent: who finds one waits until it
says so, is given back or ends, and else fails, so that the trigger comes again.
"""

import time
import uuid
from collections.abc import Callable
from email.message import EmailMessage
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import BotoCoreError, ClientError

from gen3d.errors import MailFailed
from gen3d_aws import clients
from gen3d_aws.observability import count, logger
from gen3d_notify.mails import Mail
from gen3d_notify.settings import NotifySettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TableAttributeValueTypeDef
    from mypy_boto3_sesv2 import SESV2Client

CONNECT_SECONDS = 3
READ_SECONDS = 15
"""Twice both, for the owner's mail and the admin's, leaves the function time for all else."""

ATTEMPT_SECONDS = CONNECT_SECONDS + READ_SECONDS

CLAIM_SECONDS = ATTEMPT_SECONDS + 7
"""A claim that was neither followed by a note nor given back for so long has lost its sender."""

_REFUSALS = ("MessageRejected", "MailFromDomainNotVerifiedException")
"""SES's errors on addresses that it does not know."""

WAIT_SECONDS = 1
"""Between looks at a claim of somebody else's, which mostly ends within one."""


def _ses() -> "SESV2Client":
    ses: SESV2Client = clients.client(
        "sesv2", attempts=1, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS
    )
    return ses


def deliver(key: str, mail: Mail, until: float) -> None:
    """Send a mail unless one with this key was sent.

    Parameters
    ----------
    key : str
        What the mail is about: job, run, kind and role.
    mail : Mail
    until : float
        When this invocation ends, in seconds since 1970: it does not wait for another beyond what
        its own attempt would need.

    Raises
    ------
    MailFailed
        SES refused, or did not answer, or another trigger is at it and has not said what became of
        it; the next trigger or try sends it.
    """
    claim = _Claim(key)
    while not claim.take():
        if claim.sent:
            logger.info("The mail was sent", extra={"mail": key})
            return
        if time.time() + WAIT_SECONDS + ATTEMPT_SECONDS > until:
            raise MailFailed("Another try was sending the mail. Whether it did is asked again.")
        time.sleep(WAIT_SECONDS)
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
        self.sent = False
        """Whether another says that it has sent the mail, as seen when this was not to be had."""

    @property
    def _table(self) -> "Table":
        return clients.table(NotifySettings.read().idempotency_table)

    def take(self) -> bool:
        """Whether the mail is this invocation's to send."""
        now = time.time()
        left = Attr("state").eq("SENDING") & Attr("until").lt(int(now * 1000))
        free = Attr("id").not_exists() | left
        item: dict[str, TableAttributeValueTypeDef] = {
            "id": self._id,
            "state": "SENDING",
            "claim": self._token,
            "until": int((now + CLAIM_SECONDS) * 1000),
            "ttl": int(now) + NotifySettings.read().retention_days * 86400,
        }
        try:
            self._table.put_item(
                Item=item,
                ConditionExpression=free | Attr("claim").eq(self._token),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if clients.error_code(error) != "ConditionalCheckFailedException":
                raise
            found: dict[str, object] = error.response.get("Item", {})  # type: ignore[assignment]
            self.sent = found.get("state") == {"S": "SENT"}
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
        """Let nobody send the mail again; where that fails it may be sent twice."""
        self._quietly(
            lambda: self._table.update_item(
                Key={"id": self._id},
                UpdateExpression="SET #state = :sent",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":sent": "SENT"},
            )
        )

    def _quietly(self, write: Callable[[], object]) -> None:
        try:
            write()
        except (ClientError, BotoCoreError):
            logger.exception("What became of a mail is not noted", extra={"mail": self._id})


def _send(mail: Mail, key: str) -> None:
    s = NotifySettings.read()
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
        raise MailFailed(f"The mail could not be sent: {error}.{_hint(error)}") from None
    count("MailSent")


def _hint(error: ClientError | BotoCoreError) -> str:
    """What to look at where SES itself refused a mail; its silence says nothing of addresses."""
    if isinstance(error, ClientError) and clients.error_code(error) in _REFUSALS:
        return " In the SES sandbox both sender and recipient have to be verified."
    return ""


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
