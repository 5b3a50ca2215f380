"""Lambda's entry point: changes of the jobs table, and deliveries whose turn it is."""

from typing import Annotated, Literal, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from gen3d_announce.announcing import Announcer, Change
from gen3d_announce.delivering import Deliverer, Ticket
from gen3d_aws import clients
from gen3d_aws.observability import logger, metrics, tracer


class FromTable(BaseModel):
    """A record of the table's stream, in what is read of it."""

    eventSource: Literal["aws:dynamodb"]  # noqa: N815  as AWS spells it
    dynamodb: Change


class FromQueue(BaseModel):
    """A message of the queue, in what is read of it."""

    eventSource: Literal["aws:sqs"]  # noqa: N815
    messageId: str  # noqa: N815
    receiptHandle: str  # noqa: N815
    body: str


_Record = Annotated[FromTable | FromQueue, Field(discriminator="eventSource")]


class Batch(BaseModel):
    """What the function is given at once."""

    Records: list[_Record]


class Failure(TypedDict):
    """Names a message that comes again."""

    itemIdentifier: str


class Result(TypedDict):
    """What was not done with."""

    batchItemFailures: list[Failure]


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@clients.naming_faults()
def handler(event: dict[str, object], _context: LambdaContext) -> Result:
    """Tell what has changed, or try what is to be sent.

    A message of the queue that is not done with is named, and comes again when it was put off to.
    What cannot be told is raised: the stream gives all of its batch again.
    """
    again: list[Failure] = []
    for record in Batch.model_validate(event).Records:
        match record:
            case FromTable():
                told = record.dynamodb.announcement
                if told is not None:
                    Announcer.from_settings().tell(told)
            case FromQueue():
                ticket = Ticket.model_validate_json(record.body)
                if not Deliverer.from_settings().attempt(ticket, record.receiptHandle):
                    again.append({"itemIdentifier": record.messageId})
    return {"batchItemFailures": again}
