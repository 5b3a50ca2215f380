"""Batches of photos: one row each beside the tokens, ``batch#`` and its id.

While photos of a batch have not had their turn, its row is in the index of what waits, in a lane
of its own, where those look who begin them.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from boto3.dynamodb.conditions import Key
from pydantic import BaseModel, ConfigDict

from gen3d.errors import Gen3DError
from gen3d_aws import clients
from gen3d_aws.tokens import QUEUE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TableAttributeValueTypeDef

_LANE = "batch"


class Batch(BaseModel):
    """A batch, as it lies in the table."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    batch_id: str
    owner: str
    email: str
    identity_id: str
    key_id: str = ""
    jobs_per_day: int = 0
    """Of the key that it was made with."""
    file: str
    """The key of what was asked, photo by photo."""
    made: tuple[str, ...]
    """The jobs, in the order of the photos; who waits for its turn has no record yet."""
    waiting: frozenset[str] = frozenset()
    refused: Mapping[str, Mapping[str, str]] = {}
    """What became no job: why, as an error's body."""
    after: int = 0
    """When it is worth trying again, where its owner has as much as they may."""
    ttl: int


@dataclass(frozen=True)
class Batches:
    """The batches of all people."""

    table: str

    def create(self, batch: Batch) -> None:
        """Note a batch, all of whose photos wait."""
        values: dict[str, TableAttributeValueTypeDef] = {
            **batch.model_dump(exclude={"made", "waiting", "batch_id"}),
            "made": list(batch.made),
            "waiting": set(batch.waiting),
            "lane": _LANE,
            "place": batch.batch_id,
        }
        names = {f"#{name}": name for name in values}
        self._update(
            batch.batch_id,
            "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            names,
            {f":{name}": value for name, value in values.items()},
        )

    def find(self, batch_id: str) -> Batch | None:
        """Read a batch; None where there is none."""
        answer = self._table.get_item(Key=_key(batch_id), ConsistentRead=True)
        item = cast("dict[str, object] | None", answer.get("Item"))
        return None if item is None else Batch.model_validate({**item, "batch_id": batch_id})

    def waiting(self) -> Iterator[Batch]:
        """The batches of which something waits, and may be tried, the oldest first."""
        found = self._table.query(IndexName=QUEUE, KeyConditionExpression=Key("lane").eq(_LANE))
        for item in found["Items"]:
            batch = self.find(str(item["callbackId"]).removeprefix("batch#"))
            if batch is not None and batch.after <= time.time():
                yield batch

    def begun(self, batch: Batch, job_id: str, refused: Gen3DError | None = None) -> None:
        """Note that a photo has had its turn, and why it became no job."""
        names = {"#waiting": "waiting"}
        values: dict[str, TableAttributeValueTypeDef] = {":job": {job_id}}
        change = "DELETE #waiting :job"
        if refused is not None:
            names |= {"#refused": "refused", "#id": job_id}
            values[":why"] = {"error": refused.name, "message": refused.message}
            change += " SET #refused.#id = :why"
        self._update(batch.batch_id, change, names, values)

    def done(self, batch: Batch) -> None:
        """Note that nothing of it waits any more."""
        names = {"#lane": "lane", "#place": "place", "#after": "after"}
        self._update(batch.batch_id, "REMOVE #lane, #place SET #after = :now", names, {":now": 0})

    def later(self, batch: Batch, seconds: int) -> None:
        """Let it be tried again after some time."""
        until: TableAttributeValueTypeDef = int(time.time()) + seconds
        self._update(batch.batch_id, "SET #after = :after", {"#after": "after"}, {":after": until})

    def _update(
        self,
        batch_id: str,
        change: str,
        names: Mapping[str, str],
        values: "Mapping[str, TableAttributeValueTypeDef]",
    ) -> None:
        self._table.update_item(
            Key=_key(batch_id),
            UpdateExpression=change,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    @property
    def _table(self) -> "Table":
        return clients.table(self.table)


def _key(batch_id: str) -> dict[str, str]:
    return {"callbackId": f"batch#{batch_id}"}
