"""What the API is asked: a model a body, from which its description comes.

A body with a field that is unknown is refused, at any depth. Text is stripped, and its control
characters become spaces.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gen3d.announcements import EventType
from gen3d.api_keys import Right
from gen3d.contract import MAX_OBJECTS, TextPrompt
from gen3d.formats import PHOTO_FORMATS
from gen3d.internet import MAX_URL
from gen3d.jobs import MAX_NAME, PLAIN, Job, PlainText
from gen3d.options import Options, Seed
from gen3d.prompts import Prompt
from gen3d.shares import MAX_DAYS

MAX_BATCH = 100
"""Photos in one request."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


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


class ShownObject(ObjectRequest, Prompt):
    """One object to reconstruct, and what shows it in the photo.

    It is shown by clicks and a box, or by one of the others. Places are fractions of the upright
    photo's width and height, from its top left corner.
    """

    text: Annotated[TextPrompt, PLAIN] | None = None
    """A thing's name, with the sam engine only, and one text a job: of several objects by it, the
    first is what fits it best, the next what fits it second best."""

    @property
    def prompt(self) -> Prompt:
        """What shows it, alone."""
        return Prompt.model_validate({name: getattr(self, name) for name in Prompt.model_fields})


class CreateJob(_Body):
    """A photo that is about to be uploaded, or lies somewhere, and perhaps what to make of it."""

    filename: PlainText | None = Field(default=None, min_length=1, max_length=255)
    """The job is named after it. May be left out beside `imageUrl`."""
    contentType: str | None = Field(  # noqa: N815  the API speaks camelCase
        default=None, max_length=100, examples=list(PHOTO_FORMATS)
    )
    """The photo's. It is uploaded under this type and no other. Not beside `imageUrl`."""
    imageUrl: str | None = Field(  # noqa: N815
        default=None, max_length=MAX_URL, examples=["https://example.com/coffee.jpg"]
    )
    """Where the photo lies, for everybody to read, over https: it is fetched at once, and the job
    begins."""
    depth: bool = False
    """Whether a depth map of the photo is uploaded, too, as phones with LiDAR measure one. Not
    beside `imageUrl`."""
    objects: list[ShownObject] = Field(default=[], max_length=MAX_OBJECTS)
    """What is made of it, without anybody who draws masks; without any, the job waits for them."""

    @model_validator(mode="after")
    def _one_photo(self) -> Self:
        if self.imageUrl is None and (self.filename is None or self.contentType is None):
            raise ValueError("filename and contentType of the photo are needed, or its imageUrl")
        if self.imageUrl is not None and self.contentType is not None:
            raise ValueError("contentType: what lies at imageUrl says itself what it is")
        if self.imageUrl is not None and self.depth:
            raise ValueError("depth: a map is uploaded beside a photo that is uploaded, too")
        return self


class BatchPhoto(_Body):
    """A photo of a batch, and what is made of it."""

    imageUrl: str = Field(  # noqa: N815
        max_length=MAX_URL, examples=["https://example.com/coffee.jpg"]
    )
    """Where it lies, as in a job of its own."""
    filename: PlainText | None = Field(default=None, min_length=1, max_length=255)
    """Its job is named after it."""
    objects: list[ShownObject] = Field(min_length=1, max_length=MAX_OBJECTS)

    @property
    def as_job(self) -> CreateJob:
        """The same as a job of its own."""
        return CreateJob(imageUrl=self.imageUrl, filename=self.filename, objects=self.objects)


class CreateBatch(_Body):
    """Photos, of each of which a job is made."""

    photos: list[BatchPhoto] = Field(min_length=1, max_length=MAX_BATCH)


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


class CreateShare(_Body):
    """An object that whoever has the link may see and download."""

    jobId: str = Field(max_length=100, examples=["01M82SZE4Z7ZQ9FY1VB33KS0D2"])  # noqa: N815
    object: int = Field(default=0, ge=0, lt=MAX_OBJECTS)
    """Its number in the job."""
    days: int = Field(default=7, ge=1, le=MAX_DAYS)
    """For how long; it ends with the job where that is kept for less."""


class CreateKey(_Body):
    """A key for a program."""

    name: PlainText = Field(min_length=1, max_length=MAX_NAME)
    """What it is for."""
    rights: list[Right] = Field(default=[*Right], min_length=1, max_length=len(Right))
    jobsPerDay: int = Field(default=0, ge=0, le=100_000)  # noqa: N815
    """How many jobs may be created with it within a day; 0 leaves its owner's limit alone."""


class CreateWebhook(_Body):
    """An address that is told of jobs."""

    url: str = Field(min_length=1, max_length=MAX_URL)
    events: list[EventType] = Field(default=[*EventType], min_length=1, max_length=len(EventType))
    """What it is told of; everything, where nothing is said."""
