"""What passes between the functions and the inference container, checked on both sides.

Requests and results are JSON, the bodies of ``/invocations``. Embeddings are safetensors whose
metadata is `EmbeddingsMeta`, spelled as strings because the format allows nothing else.

Functions are replaced in seconds, an endpoint in minutes, and a request may wait in between. So
readers ignore fields that they do not know; a field that is added has a default for writers that
do not know it; and what even so could not be read raises `CONTRACT`. Functions take results of
this contract and of the last, and the container answers requests of both, each in its own.
"""

import math
from typing import Annotated, Any, Literal, TypeAlias  # noqa: TID251  tasks, which pass through

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
)

from gen3d.options import SEED_ALONE, HasOptions, Offer, Options

CONTRACT = 1
"""Of requests and results."""

EMBEDDINGS_CONTRACT = 2
"""Raised when an older page could no longer read the embeddings."""

MAX_OBJECTS = 8
"""Objects in one job."""

MAX_CANDIDATES = 24
"""Masks that a text prompt offers, sure ones and others."""

SURE = 0.5
"""Score from which a mask that was found is offered at once: what Meta's predictor asks."""

LOGIT_ZERO, LOGIT_STEPS = 128, 8
"""A candidate's logit as a byte: which one is zero, and how many steps there are to one more."""

MAX_TEXT = 200
"""Letters in a text prompt."""

Takes: TypeAlias = Literal["depth"]
"""What an engine can use beside photo and mask."""

S3Uri: TypeAlias = Annotated[str, Field(pattern=r"^s3://[^/]+/.+$", max_length=2048)]
TextPrompt: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT)
]


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Numbered(_Message):
    """What each request and result says of itself, whatever else it holds.

    The first contract is not spelled out: its readers refuse fields that they do not know.
    """

    contract: int = Field(default=1, ge=1, exclude_if=lambda contract: contract == 1)


class InitializeRequest(Numbered):
    """Encode `image` and write the embeddings to `output`.

    Where `text` names a thing ("chair"), masks of all such things come with the embeddings.
    """

    task: Literal["initialize"] = "initialize"
    image: S3Uri
    output: S3Uri
    text: TextPrompt | None = None


def _a_seed_at_most(options: Options) -> bool:
    return options == Options().with_seed(options.engine.seed)


class ReconstructRequest(HasOptions, Numbered):
    """Turn the object under `mask` in `image` into gaussians and write the PLY to `output`.

    An engine that makes meshes writes `gen3d.paths.ObjectFiles.engine_mesh` beside it.

    Options are spelled out where more than the seed was chosen: engines from before them read that
    alone, and offer nothing else.
    """

    task: Literal["reconstruct"] = "reconstruct"
    image: S3Uri
    mask: S3Uri
    output: S3Uri
    options: Options = Field(default=Options(), exclude_if=_a_seed_at_most)
    depth: S3Uri | None = Field(default=None, exclude_if=lambda depth: depth is None)
    """The photo's depth map, where its owner has one; an engine that takes none leaves it."""


Request: TypeAlias = Annotated[InitializeRequest | ReconstructRequest, Field(discriminator="task")]
RequestAdapter: TypeAdapter[InitializeRequest | ReconstructRequest] = TypeAdapter(Request)


class DecodeRequest(Numbered):
    """Make a mask of each object of `prompts`, a `gen3d.prompts.Prompts`, by a photo's embeddings.

    Of the lite function alone, which takes every engine's embeddings: it reads the decoder that
    belongs to them from where the page does. The masks are written below `output`, each into the
    folder of its object.
    """

    task: Literal["decode"] = "decode"
    prompts: S3Uri
    embeddings: S3Uri
    output: S3Uri


class _Result(Numbered):
    bytes: int
    timings: dict[str, float]
    """Milliseconds a step, in the order in which they ran."""
    engine: str
    revision: str


class InitializeResult(_Result):
    """What `InitializeRequest` answers; width and height are the upright photo's pixels."""

    width: int
    height: int
    candidates: Annotated[int, Field(ge=0, le=MAX_CANDIDATES)] = 0
    """Masks found for the text: rows of the embeddings' ``candidate_logits``."""
    offers: Offer = Field(default=SEED_ALONE, exclude_if=lambda offers: offers == SEED_ALONE)
    """What may be chosen of the engine, for objects of this photo."""
    takes: tuple[str, ...] = Field(default=(), exclude_if=lambda takes: not takes)
    """Of `Takes`, or of those of a later version."""


class DecodeResult(Numbered):
    """What `DecodeRequest` answers: the objects' tasks; of what was not found, as failed.

    The masks of those are empty.
    """

    objects: list[dict[str, Any]]
    timings: dict[str, float]
    engine: str
    revision: str


class Pose(_Message):
    """Takes canonical object coordinates to the camera: ``p_cam = scale · R p + translation``.

    The camera is PyTorch3D's (x left, y up, z forward). `rotation` is a unit quaternion, wxyz.
    """

    rotation: tuple[float, float, float, float]
    translation: tuple[float, float, float]
    scale: tuple[float, float, float]
    field_of_view: Annotated[float, Field(gt=0, lt=math.pi)] | None = Field(
        default=None, exclude_if=lambda view: view is None
    )
    """Of that camera, across the photo's longer side, radians; None where nobody said it."""
    shared_depth: bool = Field(default=True, exclude_if=lambda shared: shared)
    """Whether distance and size are of one measure with those of the photo's other objects; else
    it is known only how the object is turned, and where in the photo it falls."""
    metric: bool = Field(default=False, exclude_if=lambda metric: not metric)
    """Whether that measure is the metre, as where a depth map told distances."""


class _ObjectResult(_Result):
    pose: Pose | None = Field(default=None, exclude_if=lambda pose: pose is None)
    """None from an engine that does not find it out. Functions from before that was allowed refuse
    such an answer as `gen3d.errors.InferenceFailed`."""


class ReconstructResult(_ObjectResult):
    """What `ReconstructRequest` answers where the engine makes gaussians."""

    gaussians: int


class MeshResult(_ObjectResult):
    """What it answers where the engine makes a mesh, which then lies beside `output`.

    As `gen3d.paths.ObjectFiles.engine_mesh` says. Functions from before there were such engines
    refuse it as `gen3d.errors.InferenceFailed`.
    """

    shape: Literal["mesh"] = "mesh"
    vertices: int
    faces: int


ObjectResult: TypeAlias = ReconstructResult | MeshResult
Result: TypeAlias = InitializeResult | ObjectResult


class Progress(_Message):
    """How far the endpoint is with an object, in a file of its own (`gen3d.paths.progress`).

    `at` is when it was so, and `left` the seconds that were left then, where they are known.
    """

    phase: Annotated[str, Field(pattern=r"^[A-Za-z]{1,40}$")]
    fraction: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    left: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = None
    at: AwareDatetime


class EmbeddingsMeta(_Message):
    """Metadata of ``embeddings.safetensors``; all values are strings in the file.

    The file holds the decoder's inputs by their names. Where the request had a text, it also holds
    ``candidate_logits``, u8 [K, h, w] by `LOGIT_ZERO` and `LOGIT_STEPS`, positive on the object,
    rounded up and so read half a step lower, stretched like the decoder's input, best first, and
    ``candidate_scores``, f32 [K], from 0 to 1; K is at most `MAX_CANDIDATES`. Files from before
    that hold ``candidate_masks``, u8 [K, h, w], 1 on the object.
    """

    contract: str = str(EMBEDDINGS_CONTRACT)
    engine: str
    revision: str
    input_width: str
    """Pixels of the decoder's point frame; a photo's x maps to ``x · input_width / width``."""
    input_height: str
    resize: Literal["stretch"] = "stretch"
    image_width: str
    """Pixels of the upright photo."""
    image_height: str
    precision: Literal["fp32", "fp16", "u8"]
    """That the decoder's inputs are stored in. Bytes stand for ``byte · scale + offset``, with
    ``{name}_scale`` and ``{name}_offset``, f32, one of each a channel. Where there is a
    ``{name}_basis`` too, f32 [g, c / g, c / g], they are components, u8 [c, n]: in each of g groups
    of channels, the rows [n, c / g] of the components times the group's basis are the channels'
    values, and all groups side by side the decoder's input, [1, n, c]."""
    single_mask_index: str = ""
    """Mask token for two or more clicks (SAM: "0"); empty where the best score always wins."""
    found_text: str = ""
    """What the candidates are, where not the text itself found them but its singular."""
