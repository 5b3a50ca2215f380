"""What is to be made of a photo, in a form that can be kept until it is done."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from gen3d_client import clicks, option_words, photos
from gen3d_client.clicks import Click
from gen3d_client.errors import ApiClientError, ExtraMissing
from gen3d_client.option_words import Options

_PNG = b"\x89PNG\r\n\x1a\n"


class Wanted(BaseModel):
    """An object of the photo, by clicks or a mask; by neither, what the photo seems to be about."""

    name: str | None = None
    clicks: list[Click] = []
    mask: Path | None = None
    """A PNG of the photo's size, white on the object."""
    options: Options = {}


class Plan(BaseModel):
    """A photo, and which objects of it become meshes."""

    photo: Path
    objects: list[Wanted]
    text: str | None = None
    """What to look for in it, where the engine takes words."""

    @property
    def chooses(self) -> bool:
        """Whether it has to wait until the engine has said what may be chosen."""
        return any(wanted.options for wanted in self.objects)


def from_words(photo: Path, parts: Iterable[tuple[str, str]], text: str | None = None) -> Plan:
    """What was said of a photo, once it was looked at that it can be so.

    Raises
    ------
    ApiClientError
        The photo is none, or a click, a mask or an option.
    """
    photos.media_type(photo)
    objects: list[Wanted] = []
    for option, value in parts:
        if option == "--object" or not objects:
            objects.append(Wanted(name=value if option == "--object" else None))
        wanted = objects[-1]
        match option:
            case "--click":
                wanted.clicks = [*wanted.clicks, *clicks.read(value)]
            case "--mask":
                wanted.mask = _mask(Path(value))
            case "--option":
                for part, chosen in option_words.parse([value]).items():
                    wanted.options = {
                        **wanted.options, part: {**wanted.options.get(part, {}), **chosen}
                    }  # fmt: skip
    objects = objects or [Wanted()]
    for wanted in objects:
        if wanted.clicks and wanted.mask:
            raise ApiClientError("An object has clicks or a mask, not both.")
        clicks.need_one_inside(wanted.clicks)
    if any(wanted.clicks for wanted in objects):
        size = photos.size(photo)
        for wanted in objects:
            clicks.check(wanted.clicks, *size)
    if not all(wanted.mask for wanted in objects):
        _need_decoder()
    if len(objects) == 1 and objects[0].name is None:
        objects[0].name = photo.stem
    return Plan(photo=photo, objects=objects, text=text)


def _need_decoder() -> None:
    try:
        import gen3d_client.decoder  # noqa: F401
    except ModuleNotFoundError as error:
        raise ExtraMissing("To make a mask of clicks", "click", error.name) from None


def _mask(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            if file.read(len(_PNG)) == _PNG:
                return path
    except OSError as error:
        raise ApiClientError(f"{path} cannot be read: {error.strerror}.") from None
    raise ApiClientError(f"{path} is no mask. Name a PNG of the photo's size, white on the object.")
