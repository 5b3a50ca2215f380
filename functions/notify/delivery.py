"""Sends a mail exactly once, through SES."""

from email.message import EmailMessage
from functools import cache
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from gen3d.errors import MailFailed
from gen3d.observability import count, logger
from gen3d.settings import settings
from mails import Mail

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_ONCE = IdempotencyConfig(
    event_key_jmespath="key", expires_after_seconds=settings().retention_days * 86400
)


@cache
def _ses() -> "SESV2Client":
    # A hang has to end as MailFailed, which is tried again, before it ends the function.
    patience = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2})
    return boto3.client("sesv2", config=patience)


@cache
def _store() -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(
        table_name=settings().idempotency_table, key_attr="id", expiry_attr="ttl"
    )


def register(context: LambdaContext) -> None:
    """Say when this invocation ends: a mail that its end cuts off may then be sent by another."""
    _ONCE.register_lambda_context(context)


def deliver(key: str, mail: Mail) -> None:
    """Send a mail unless one with this key was sent before.

    Parameters
    ----------
    key : str
        What the mail is about: job, kind and role.
    mail : Mail

    Raises
    ------
    MailFailed
        SES refused; the next trigger or try sends it.
    """

    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
        data_keyword_argument="about",
        persistence_store=_store(),
        config=_ONCE,
        key_prefix="gen3d.mail",
    )
    def once(*, about: dict[str, str]) -> str:
        return _send(mail, about["key"])

    try:
        once(about={"key": key})
    except IdempotencyAlreadyInProgressError:
        logger.info("Another trigger is sending this mail", extra={"mail": key})


def _send(mail: Mail, key: str) -> str:
    s = settings()
    try:
        sent = _ses().send_email(
            FromEmailAddress=s.sender_email,
            Destination={"ToAddresses": [mail.to]},
            Content={"Raw": {"Data": _mime(mail, s.sender_email).as_bytes()}},
            ConfigurationSetName=s.configuration_set,
        )
    except (ClientError, BotoCoreError) as error:
        count("MailFailed")
        logger.exception("SES refused a mail", extra={"mail": key})
        raise MailFailed(
            f"The mail could not be sent: {error}. "
            "In the SES sandbox both sender and recipient have to be verified."
        ) from None
    count("MailSent")
    return sent["MessageId"]


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
