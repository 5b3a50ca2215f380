"""What shows an object in a photo, where nobody draws its mask in a browser.

Places are fractions of the upright photo, from its top left corner: they hold whatever size it
has, and whoever wrote them need not know it. What is given as a mask already is drawn here; clicks,
boxes and texts by the photo's decoder (``gen3d_inference.prompted``).
"""

import base64
import binascii
from typing import Annotated, Any, Literal, Self  # noqa: TID251  tasks, which pass through

from PIL import Image, ImageDraw
from pydantic import AfterValidator, BaseModel, Field, model_validator

from gen3d.contract import TextPrompt
from gen3d.errors import InvalidMask
from gen3d.images import MIN_MASK_PIXELS, read_mask

MAX_CLICKS = 32
MAX_CORNERS = 1000
"""Of a polygon."""
MAX_MASK_LETTERS = 680_000
"""Of a PNG as base64, about half a megabyte: eight of them fit into one request."""
MAX_RUNS = 100_000
"""Of an RLE."""
MAX_RLE_LETTERS = 400_000
MAX_SIDE = 16_384

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Of the photo's width or height."""

Corner = Annotated[list[Fraction], Field(min_length=2, max_length=2)]
"""x and y."""

Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


def _is_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64. Encode the PNG's bytes") from None
    return text


class Click(BaseModel):
    """A point on the object, or beside it."""

    x: Fraction
    y: Fraction
    inside: bool = True
    """False where the point is none of the object's."""


class Box(BaseModel):
    """A rectangle around the object."""

    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("a box has its left before its right, and its top above its bottom")
        return self


class Rle(BaseModel):
    """A mask as COCO writes it: runs of nothing and of the object in turn, column by column."""

    size: list[Side] = Field(min_length=2, max_length=2)
    """Height and width: those of the upright photo."""
    counts: (
        Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=MAX_RUNS)]
        | Annotated[str, Field(max_length=MAX_RLE_LETTERS)]
    )
    """The runs, or the same in the letters of COCO's compressed form."""


class Prompt(BaseModel):
    """One object, by one of these: clicks and a box together, or any of the others alone."""

    clicks: list[Click] = Field(default=[], max_length=MAX_CLICKS)
    """In the order in which they are made: each corrects the mask of those before."""
    box: Box | None = None
    text: TextPrompt | None = None
    """With the sam engine only, and one text a job: of several objects by it, the first is what
    fits it best, the next what fits it second best."""
    certainty: Fraction | None = None
    """How sure the model has to be of what the text names. It offers nothing below 0.2, and from
    0.5 on the page calls it found; without a number all that is offered counts."""
    mask: Annotated[str, AfterValidator(_is_base64)] | None = Field(
        default=None, max_length=MAX_MASK_LETTERS
    )
    """A PNG of the upright photo's size as base64, white on the object."""
    polygon: list[Corner] | None = Field(default=None, min_length=3, max_length=MAX_CORNERS)
    """The object's outline."""
    rle: Rle | None = None
    subject: Literal["auto"] | None = None
    """What stands out most in the photo."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        shown = bool(self.clicks) or self.box is not None
        others = (self.text, self.mask, self.polygon, self.rle, self.subject)
        if shown + sum(other is not None for other in others) != 1:
            raise ValueError(
                "an object is shown by clicks and a box, or by one of text, mask, polygon, rle and "
                "subject"
            )
        if self.certainty is not None and self.text is None:
            raise ValueError("certainty: it is asked of what a text finds. Leave it out")
        if self.box is None and self.clicks and not any(click.inside for click in self.clicks):
            raise ValueError("every click is off the object: add one on it")
        return self

    def drawn(self, width: int, height: int) -> Image.Image | None:
        """The mask, where it is given as one: mode L, 0 or 255.

        Parameters
        ----------
        width, height : int
            Pixels of the upright photo.

        Raises
        ------
        InvalidMask
        """
        if self.mask is not None:
            return read_mask(base64.b64decode(self.mask), width, height)
        if self.polygon is not None:
            drawing = Image.new("L", (width, height))
            corners = [(x * width - 0.5, y * height - 0.5) for x, y in self.polygon]
            ImageDraw.Draw(drawing).polygon(corners, fill=255)
            return checked(drawing, "The polygon")
        if self.rle is not None:
            return checked(_of_rle(self.rle, width, height), "The RLE")
        return None


class Wanted(BaseModel):
    """An object that a request shows, with what its execution is told of it."""

    prompt: Prompt
    task: dict[str, Any]
    """A `gen3d.jobs.ObjectTask`, which goes back as it came."""


class Prompts(BaseModel):
    """The file in which a job's prompts wait for the photo's embeddings."""

    objects: list[Wanted]


def checked(mask: Image.Image, what: str) -> Image.Image:
    """A mask that an object can be made of.

    Raises
    ------
    InvalidMask
        It is empty, or covers everything.
    """
    pixels = mask.histogram()[255]
    if pixels < MIN_MASK_PIXELS:
        raise InvalidMask(f"{what} covers {pixels} pixels of the photo. Draw it around the object.")
    if pixels == mask.width * mask.height:
        raise InvalidMask(f"{what} covers the whole photo. Leave the background out.")
    return mask


def _of_rle(rle: Rle, width: int, height: int) -> Image.Image:
    if rle.size != [height, width]:
        raise InvalidMask(
            f"The RLE is of {rle.size[1]}×{rle.size[0]} pixels, the photo of {width}×{height}. "
            "Send one of the photo's size, upright as it is shown; its size is height, then width."
        )
    counts = rle.counts if isinstance(rle.counts, list) else _runs(rle.counts)
    if sum(counts) != width * height:
        raise InvalidMask(
            f"The RLE's runs are {sum(counts)} pixels together, the photo has {width * height}. "
            "Send it whole, with the run of nothing first."
        )
    columns = b"".join((b"\xff" if n % 2 else b"\0") * count for n, count in enumerate(counts))
    return Image.frombytes("L", (height, width), columns).transpose(Image.Transpose.TRANSPOSE)


def _runs(text: str) -> list[int]:
    """COCO's compressed runs: numbers in letters of five bits, from the third on as differences."""
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise InvalidMask("The RLE's letters are not COCO's. Send counts as it writes them.")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
        if counts[-1] < 0 or len(counts) > MAX_RUNS:
            raise InvalidMask("The RLE's runs are not COCO's. Send counts as it writes them.")
    if shift:
        raise InvalidMask("The RLE was cut off. Send it whole.")
    return counts
