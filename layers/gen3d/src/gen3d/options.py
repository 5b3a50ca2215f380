"""What a person may choose for an object: one value, from the page to engine and mesh step.

A parameter is a field here, once, with its default, its bounds and its title, the words that people
read. Whatever lies between the page and who uses it carries `Options` whole and names no field.
What of it may be chosen is said by who uses it: an engine in its metadata, the mesh step here.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from gen3d.errors import OptionNotOffered

MAX_SEED = 2**31 - 1
MIN_FACES, MAX_FACES = 1_000, 200_000
MAX_MILLIMETRES = 100_000
MAX_SEEDS = 3

Seed: TypeAlias = Annotated[int, Field(ge=0, le=MAX_SEED)]
Quality: TypeAlias = Literal["fast", "standard", "fine"]
Texels: TypeAlias = Literal[512, 1024, 2048]


class _Value(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class EngineOptions(_Value):
    """What an engine is told. Each takes the defaults, and beside them what it offers."""

    quality: Quality = Field(default="standard", title="Reconstruction quality")
    """Whether to save time, or to spend more of it."""
    seed: Seed = Field(default=0, title="Seed")
    """Chooses among the engine's equally good answers."""
    seeds: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = Field(default=1, title="Seeds to try")
    """How many from `seed` on are made, of which the truest to the photo is kept. The engine makes
    one at a time and is not told."""


class MeshOptions(_Value):
    """What the mesh step is told."""

    quality: Quality = Field(default="standard", title="Mesh quality")
    """How fine a grid the surface is taken from, and with it faces and texture."""
    faces: Annotated[int, Field(ge=MIN_FACES, le=MAX_FACES)] | None = Field(
        default=None, title="Faces, at most"
    )
    """In the place of the quality's."""
    texture: Texels | None = Field(default=None, title="Texture, pixels a side")
    """In the place of the quality's."""
    height: Annotated[int, Field(ge=1, le=MAX_MILLIMETRES)] | None = Field(
        default=None, title="Height, mm"
    )
    """How high the thing is, upright, which makes metres of its files and of the scene's."""

    @property
    def metres(self) -> float | None:
        """The height, where it is known."""
        return None if self.height is None else self.height / 1000


class Options(_Value):
    """All that was chosen for an object."""

    engine: EngineOptions = EngineOptions()
    mesh: MeshOptions = MeshOptions()

    def with_seed(self, seed: int) -> "Options":
        """The same with another seed."""
        return self.model_copy(update={"engine": self.engine.model_copy(update={"seed": seed})})

    def each_seed(self) -> tuple["Options", ...]:
        """The same once for each seed that is to be tried, of which it asks for that one alone."""
        first, alone = self.engine, self.engine.model_copy(update={"seeds": 1})
        one = self.model_copy(update={"engine": alone})
        return tuple(one.with_seed((first.seed + i) % (MAX_SEED + 1)) for i in range(first.seeds))

    def titled(self) -> dict[str, str | int]:
        """Title → value of all that has one, to be shown beside what came of it.

        What came of it is of one seed, however many were tried.
        """
        return {
            str(type(part).model_fields[name].title): value
            for part in (self.engine, self.mesh)
            for name, value in part
            if value is not None and name != "seeds"
        }


class HasOptions(BaseModel):
    """A record or message of an object.

    Those from before there were options have a seed instead, and whoever wrote them reads it still:
    containers, executions that wait for a mask, open pages. So it is said beside the options.
    """

    options: Options = Options()

    @model_validator(mode="before")
    @classmethod
    def _seed_alone(cls, data: object) -> object:
        if not isinstance(data, Mapping) or "seed" not in data or "options" in data:
            return data
        return {**data, "options": {"engine": {"seed": data["seed"]}}}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seed(self) -> int:
        """The engine's seed."""
        return self.options.engine.seed


# What may be chosen


class OneOf(_Value):
    """One of these values; with `seconds`, about how long an object takes with each."""

    values: tuple[str | int, ...]
    seconds: dict[str, float] = {}

    def holds(self, value: object) -> bool:
        """Whether it may be chosen."""
        return value in self.values

    def __str__(self) -> str:
        *most, last = map(str, self.values)
        return f"{', '.join(most)} or {last}" if most else last


class Within(_Value):
    """A whole number between these, which belong to it."""

    minimum: int
    maximum: int

    def holds(self, value: object) -> bool:
        """Whether it may be chosen."""
        return isinstance(value, int) and self.minimum <= value <= self.maximum

    def __str__(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"


Offer: TypeAlias = dict[str, OneOf | Within]
"""An option's name → what may be chosen of it. Its default may be always."""

ANY_SEED = Within(minimum=0, maximum=MAX_SEED)

SOME_SEEDS = OneOf(values=tuple(range(1, MAX_SEEDS + 1)))
"""Of an engine whose seeds differ, and that says poses: else nothing tells which is truest."""

SEED_ALONE: Offer = {"seed": ANY_SEED}
"""What an engine offers that says nothing of it, as all before there were options."""

MESH_OFFER: Offer = {
    "quality": OneOf(values=get_args(Quality), seconds={"fast": 2, "standard": 4, "fine": 8}),
    "faces": Within(minimum=MIN_FACES, maximum=MAX_FACES),
    "texture": OneOf(values=get_args(Texels)),
    "height": Within(minimum=1, maximum=MAX_MILLIMETRES),
}
"""All that `MeshOptions` takes: the mesh step is of this version.

Seconds are those of one processor for 300,000 gaussians, all files written.
"""


def seconds_of(offer: Offer, chosen: BaseModel) -> float | None:
    """About how long an object takes with what was chosen; None where the offer does not say."""
    for name, offered in offer.items():
        value = str(getattr(chosen, name, None))
        if isinstance(offered, OneOf) and value in offered.seconds:
            return offered.seconds[value]
    return None


def require_offered(options: EngineOptions, offer: Offer) -> None:
    """Refuse what was chosen and the engine does not offer.

    Raises
    ------
    OptionNotOffered
        The sentence names the option, and what may be chosen of it.
    """
    for name, field in EngineOptions.model_fields.items():
        value = getattr(options, name)
        if value == field.default:
            continue
        offered = offer.get(name)
        if offered is None:
            raise OptionNotOffered(
                f"engine.{name}: the engine offers no choice of it. Leave it out."
            )
        if not offered.holds(value):
            raise OptionNotOffered(
                f"engine.{name}: the engine does not offer {value}. Choose {offered}."
            )
