"""Keys for programs in DynamoDB."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from gen3d.api_keys import ApiKey
from gen3d.errors import KeyNotFound
from gen3d.jobs import iso
from gen3d_aws import clients
from gen3d_aws.clients import error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

BY_OWNER = "byOwner"
"""The keys table's index of a person's keys."""

_USED_MINUTES = 5
"""A use is noted this often at most: a program may make several calls a second."""


class KeyStore:
    """The keys table."""

    def __init__(self, table: str) -> None:
        self._name = table

    @property
    def _table(self) -> "Table":
        return clients.table(self._name)

    def create(self, key: ApiKey) -> None:
        """Write a new key; its id is random, and again is the same."""
        item = key.model_dump(mode="json", by_alias=True, exclude_none=True)
        self._table.put_item(Item={**item, "createdAt": iso(key.created_at)})

    def find(self, key_id: str) -> ApiKey | None:
        """Read a key; None where there is none, or none any more."""
        item = self._table.get_item(Key={"keyId": key_id}, ConsistentRead=True).get("Item")
        return None if item is None else ApiKey.model_validate(item)

    def of(self, owner: str) -> list[ApiKey]:
        """A person's keys, oldest first, as of a moment ago."""
        found = self._table.query(IndexName=BY_OWNER, KeyConditionExpression=Key("owner").eq(owner))
        keys = [ApiKey.model_validate(item) for item in found["Items"]]
        return sorted(keys, key=lambda key: key.created_at)

    def withdraw(self, owner: str, key_id: str) -> None:
        """Forget a key of this owner.

        Raises
        ------
        KeyNotFound
            No such key, or somebody else's.
        """
        try:
            self._table.delete_item(
                Key={"keyId": key_id}, ConditionExpression=Attr("owner").eq(owner)
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise KeyNotFound("There is no such key. Look it up in your list of keys.") from None

    def note_use(self, key: ApiKey, at: datetime) -> None:
        """Remember when it was used last."""
        if key.used_at is not None and at - key.used_at < timedelta(minutes=_USED_MINUTES):
            return
        try:
            self._table.update_item(
                Key={"keyId": key.key_id},
                UpdateExpression="SET usedAt = :at",
                ConditionExpression=Attr("keyId").exists(),  # it may have been withdrawn just now
                ExpressionAttributeValues={":at": iso(at)},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
