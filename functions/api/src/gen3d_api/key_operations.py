"""What the API does with keys: one method a route."""

from dataclasses import dataclass
from typing import Any  # noqa: TID251  fields of a model

from gen3d.api_keys import ApiKey, Secret, check_count
from gen3d.jobs import now
from gen3d_api.answers import KeyPage, KeyView, NewKey
from gen3d_api.identities import identity_of
from gen3d_api.requests import CreateKey
from gen3d_api.settings import ApiSettings
from gen3d_aws.callers import Caller
from gen3d_aws.key_store import KeyStore
from gen3d_aws.observability import count


@dataclass(frozen=True)
class KeyService:
    """The use cases of keys, which a person has and no program."""

    config: ApiSettings
    keys: KeyStore

    @classmethod
    def from_settings(cls) -> "KeyService":
        """Wire the service as the environment says."""
        s = ApiSettings.read()
        return cls(s, KeyStore(s.keys_table))

    def create(self, caller: Caller, body: CreateKey) -> NewKey:
        """Make a key; its secret is in this answer and nowhere else."""
        check_count(len(self.keys.of(caller.sub)))
        secret = Secret.new()
        key = ApiKey(
            key_id=secret.key_id,
            owner=caller.sub,
            email=caller.email,
            identity_id=identity_of(self.config, caller),
            name=body.name,
            rights=tuple(sorted(set(body.rights))),
            jobs_per_day=body.jobsPerDay,
            created_at=now(),
            digest=secret.digest,
        )
        self.keys.create(key)
        count("KeyCreated")
        return NewKey(**_shown(key), key=secret.text)

    def list(self, caller: Caller) -> KeyPage:
        """The caller's keys, oldest first."""
        return KeyPage(keys=[KeyView(**_shown(key)) for key in self.keys.of(caller.sub)])

    def withdraw(self, caller: Caller, key_id: str) -> None:
        """Forget a key: within a minute nothing is opened by it."""
        self.keys.withdraw(caller.sub, key_id)
        count("KeyWithdrawn")


def _shown(key: ApiKey) -> dict[str, Any]:
    return key.model_dump(include=set(KeyView.model_fields))
