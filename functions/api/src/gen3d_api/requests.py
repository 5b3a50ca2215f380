"""What the API is asked: a model a body, from which its description comes.

A body with a field that is unknown is refused, at any depth. Text is stripped, and its control
characters become spaces.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gen3d.api_keys import Right
from gen3d.contract import MAX_OBJECTS, TextPrompt
from gen3d.formats import PHOTO_FORMATS
from gen3d.jobs import MAX_NAME, PLAIN, Job, PlainText
from gen3d.options import Options, Seed


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CreateJob(_Body):
    """A photo is about to be uploaded."""

    filename: PlainText = Field(min_length=1, max_length=255)
    """The job is named after it."""
    contentType: str = Field(  # noqa: N815  the API speaks camelCase
        max_length=100, examples=list(PHOTO_FORMATS)
    )
    """The photo's. It is uploaded under this type and no other."""


class RenameJob(_Body):
    """A job's new name."""

    name: PlainText = Field(min_length=1, max_length=MAX_NAME)


class Initialize(_Body):
    """What to look for in the photo, for engines that find things by their names."""

    text: Annotated[TextPrompt, PLAIN] | None = None
    """With the sam engine only."""


class MaskUploads(_Body):
    """How many masks are about to be uploaded."""

    count: int = Field(ge=1, le=MAX_OBJECTS)


class _Chosen(_Body):
    options: Options | None = None
    """What is left out is the default, or of an object that there is, as it was."""
    seed: Seed | None = Field(default=None, json_schema_extra={"deprecated": True})
    """The engine's, as clients say it that know no options."""

    def over(self, had: Options) -> Options:
        """What was chosen, or else what there was."""
        options = self.options or had
        return options if self.seed is None else options.with_seed(self.seed)


class ObjectRequest(_Chosen):
    """One object to reconstruct."""

    name: PlainText | None = Field(default=None, min_length=1, max_length=MAX_NAME)


class Reconstruct(_Body):
    """The objects, in the order of their masks."""

    objects: list[ObjectRequest] = Field(min_length=1, max_length=MAX_OBJECTS)


class ObjectAgain(_Chosen):
    """An object that is to be made anew, with other options where they are given.

    Or one that is to be kept as one of several seeds has made it. What differs for the mesh step
    alone keeps the object's splat.
    """

    n: int = Field(ge=0, lt=MAX_OBJECTS)
    keep: Seed | None = None
    """Of an object of which several seeds were tried, the one by which it is kept from now on:
    nothing of it is made. Not beside options or seed."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.keep is not None and (self.options, self.seed) != (None, None):
            raise ValueError("keep takes what a seed has made as it is: leave options and seed out")
        return self


class Retry(_Body):
    """What to make anew; without anything said, what failed is taken up again."""

    objects: list[ObjectAgain] = Field(default=[], max_length=MAX_OBJECTS)
    scene: bool = False
    """Whether a scene is wanted where there is none of itself, as of a single object."""

    def wanted(self, job: Job) -> Mapping[int, Options]:
        """Object → its options, the ones that it has where none are given."""
        had = {o.n: o.options for o in job.ordered_objects}
        anew = (o for o in self.objects if o.keep is None)
        return {o.n: o.over(had.get(o.n, Options())) for o in anew}

    def kept(self) -> Mapping[int, int]:
        """Object → the seed by which it is kept."""
        return {o.n: o.keep for o in self.objects if o.keep is not None}


class CreateKey(_Body):
    """A key for a program."""

    name: PlainText = Field(min_length=1, max_length=MAX_NAME)
    """What it is for."""
    rights: list[Right] = Field(default=[*Right], min_length=1, max_length=len(Right))
    jobsPerDay: int = Field(default=0, ge=0, le=100_000)  # noqa: N815
    """How many jobs may be created with it within a day; 0 leaves its owner's limit alone."""
