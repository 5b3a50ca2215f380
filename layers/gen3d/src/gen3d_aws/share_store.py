"""Shares in DynamoDB."""

from datetime import datetime
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from gen3d.jobs import iso
from gen3d.shares import Share, nothing_there
from gen3d_aws import clients
from gen3d_aws.clients import error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

BY_OWNER = "byOwner"
"""The shares table's index of a person's shares."""


class ShareStore:
    """The shares table."""

    def __init__(self, table: str) -> None:
        self._name = table

    @property
    def _table(self) -> "Table":
        return clients.table(self._name)

    def create(self, share: Share) -> None:
        """Write a new share; its id is random, and again is the same."""
        item = share.model_dump(mode="json", by_alias=True)
        times = {"createdAt": iso(share.created_at), "endsAt": iso(share.ends_at)}
        self._table.put_item(Item={**item, **times})

    def find(self, share_id: str, at: datetime) -> Share:
        """Read a share that opens something.

        Raises
        ------
        ShareNotFound
        """
        item = self._table.get_item(Key={"shareId": share_id}, ConsistentRead=True).get("Item")
        share = None if item is None else Share.model_validate(item)
        if share is None or share.has_ended(at):
            raise nothing_there()
        return share

    def of(self, owner: str, at: datetime) -> list[Share]:
        """A person's shares that open something, newest first, as of a moment ago."""
        found = self._table.query(IndexName=BY_OWNER, KeyConditionExpression=Key("owner").eq(owner))
        shares = [Share.model_validate(item) for item in found["Items"]]
        there = [share for share in shares if not share.has_ended(at)]
        return sorted(there, key=lambda share: share.created_at, reverse=True)

    def withdraw(self, owner: str, share_id: str) -> None:
        """Forget a share of this owner.

        Raises
        ------
        ShareNotFound
            No such share, or somebody else's.
        """
        try:
            self._table.delete_item(
                Key={"shareId": share_id}, ConditionExpression=Attr("owner").eq(owner)
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise nothing_there() from None
