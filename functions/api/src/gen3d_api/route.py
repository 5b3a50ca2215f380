"""What a route of the API is, as its function and its decorator in `gen3d_api.routes` say it."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from pydantic.alias_generators import to_camel, to_snake

from gen3d.api_keys import Right
from gen3d.errors import (
    BatchNotFound,
    DeliveryNotFound,
    DependencyUnavailable,
    Gen3DError,
    InternalError,
    InvalidRequest,
    JobNotFound,
    KeyNotFound,
    NotAllowed,
    ShareNotFound,
    Unauthorized,
    UnsupportedVersion,
    WebhookNotFound,
)

_ABSENT: Mapping[str, type[Gen3DError]] = {
    "batchId": BatchNotFound,
    "deliveryId": DeliveryNotFound,
    "jobId": JobNotFound,
    "keyId": KeyNotFound,
    "shareId": ShareNotFound,
    "webhookId": WebhookNotFound,
}
"""What is said of an id in a path that stands for nothing."""


@dataclass(frozen=True)
class Answer:
    """What a route answers where it refuses nothing."""

    status: int
    content: BaseModel | None = None
    retry_after: int | None = None


@dataclass(frozen=True)
class Gives:
    """An answer of a route, in words."""

    content: type[BaseModel] | None
    says: str


@dataclass(frozen=True)
class Route:
    """A route, as its function and its decorator say it."""

    method: str
    path: str
    answer: Callable[..., Answer]
    gives: Mapping[int, Gives]
    refuses: tuple[type[Gen3DError], ...]
    """Of itself; `errors` are all."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameter → what it is."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header → what it is."""
    personal: bool = False
    """Whether it is for people alone, and no key may do it."""

    @property
    def key(self) -> str:
        """As API Gateway calls it."""
        return f"{self.method} {self.path}"

    @property
    def pattern(self) -> str:
        """Its path as Powertools writes it: ``/jobs/<job_id>``."""
        return re.sub(r"{(\w+)}", lambda found: f"<{to_snake(found[1])}>", self.path)

    @property
    def name(self) -> str:
        """As its function is called, for programs."""
        return to_camel(self.answer.__name__)

    @property
    def says(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(self.answer) or "").splitlines()[0]

    @property
    def details(self) -> str:
        """What else there is to say of it, in paragraphs."""
        _, _, rest = (inspect.getdoc(self.answer) or "").partition("\n")
        return "\n\n".join(" ".join(part.split()) for part in rest.strip().split("\n\n"))

    @property
    def ids(self) -> tuple[str, ...]:
        """What stands for a part of its path."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def for_all(self) -> bool:
        """Whether nobody has to be signed in."""
        return "caller" not in self.parameters

    @property
    def right(self) -> Right | None:
        """What a key has to have for it; None where no key may, as with keys themselves."""
        if self.personal:
            return None
        return Right.READ if self.method == "GET" else Right.CREATE

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of its body."""
        found = self.parameters.get("body")
        return found.annotation if found else None

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """What its function is given."""
        return inspect.signature(self.answer).parameters

    @property
    def errors(self) -> tuple[type[Gen3DError], ...]:
        """All that it may refuse, by their status."""
        found: set[type[Gen3DError]] = {*self.refuses, UnsupportedVersion, InternalError}
        if not self.for_all:
            found |= {Unauthorized, NotAllowed, DependencyUnavailable}
        found |= {_ABSENT[name] for name in self.ids}
        if self.body or self.query:
            found.add(InvalidRequest)
        return tuple(sorted(found, key=lambda error: (error.status, error.__name__)))
