"""What is to be made of a photo, in a form that can be kept until it is done."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, model_validator

from gen3d_client import clicks, option_words, photos
from gen3d_client.clicks import Box, Click, Size
from gen3d_client.errors import ApiClientError
from gen3d_client.option_words import Options
from gen3d_client.results import file_name

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST = 510_000
"""Bytes of a mask that a request holds beside seven others."""

Request = dict[str, object]
"""An object, as the API is told of it."""


class Wanted(BaseModel):
    """An object of the photo, and what shows it: by nothing, what the photo is about."""

    name: str | None = None
    clicks: list[Click] = []
    box: Box | None = None
    text: str | None = None
    """What it is called, where the engine takes words."""
    certainty: float | None = None
    """How sure the model has to be of what the words name, from 0 to 1."""
    polygon: list[Click] = []
    """Its outline."""
    mask: Path | None = None
    """A PNG of the photo's size, white on the object, or COCO's RLE as JSON."""
    options: Options = {}

    @property
    def places(self) -> list[Click]:
        """All places in the photo that show it."""
        return [*self.clicks, *(self.box.corners if self.box else ()), *self.polygon]

    def request(self, size: Size | None) -> Request:
        """As the API is told of it; a mask is read.

        Raises
        ------
        ApiClientError
            A place is not in the photo, or the mask is none.
        """
        about: Request = {"name": self.name, "options": self.options}
        return {name: value for name, value in about.items() if value} | self._shown(size)

    def _shown(self, size: Size | None) -> Request:
        if self.mask:
            return _mask(self.mask)
        if self.text:
            sure = {} if self.certainty is None else {"certainty": self.certainty}
            return {"text": self.text, **sure}
        if self.polygon:
            return {"polygon": [clicks.shares(corner, size) for corner in self.polygon]}
        shown: Request = {}
        if self.clicks:
            places = [(*clicks.shares(click, size), click.inside) for click in self.clicks]
            shown["clicks"] = [{"x": x, "y": y, "inside": inside} for x, y, inside in places]
        if self.box:
            (left, top), (right, bottom) = (clicks.shares(each, size) for each in self.box.corners)
            shown["box"] = {"left": left, "top": top, "right": right, "bottom": bottom}
        return shown or {"subject": "auto"}


class Plan(BaseModel):
    """A photo, on this machine or at an address, and which objects of it become meshes."""

    photo: Path | None = None
    url: str | None = None
    """Where it lies for everybody to read, over https: the service fetches it."""
    objects: list[Wanted]
    depth: Path | None = None
    """A depth map of the photo: a grey PNG of 16 bits, in millimetres."""

    @model_validator(mode="after")
    def _one_photo(self) -> "Plan":
        if (self.photo is None) == (self.url is None):
            raise ValueError("a plan has a photo, or the address of one")
        return self

    @property
    def name(self) -> str:
        """What the photo is called."""
        return self.photo.name if self.photo else str(self.url)

    @property
    def stem(self) -> str:
        """What its mesh is called where nobody says."""
        if self.photo:
            return self.photo.stem
        return file_name(Path(unquote(urlsplit(str(self.url)).path)).stem)

    def request(self) -> list[Request]:
        """The objects as the API is told of them; masks and the photo's size are read.

        Raises
        ------
        ApiClientError
        """
        pixels = any(not place.share for wanted in self.objects for place in wanted.places)
        size = photos.size(self.photo) if self.photo and pixels else None
        return [wanted.request(size) for wanted in self.objects]


def from_manifest(path: Path) -> list[Plan]:
    """The photos of a list in JSON, each by its ``url`` and what `from_words` would be told of it.

    Raises
    ------
    ApiClientError
        It is none, or one of its photos is wrong.
    """
    try:
        entries = json.loads(path.read_bytes())
        plans = [(entry.pop("url"), list(_words(entry, path.parent))) for entry in entries]
    except OSError as error:
        raise ApiClientError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ApiClientError(
            f'{path} is no list of photos. Write [{{"url": "https://…", "click": "45%,30%"}}, …].'
        ) from None
    return [from_words(None, words, str(url)) for url, words in plans]


def _words(entry: dict[str, object], folder: Path) -> Iterator[tuple[str, str]]:
    for name, value in entry.items():
        if name not in ("click", "box", "text", "certainty", "polygon", "mask", "option"):
            raise ApiClientError(f"{name!r} is nothing that shows an object.")
        for each in value if isinstance(value, list) else [value]:
            yield f"--{name}", str(folder / str(each)) if name == "mask" else str(each)


def from_words(
    photo: Path | None,
    parts: Iterable[tuple[str, str]],
    url: str | None = None,
    depth: Path | None = None,
) -> Plan:
    """What was said of a photo, once it was looked at that it can be so.

    Raises
    ------
    ApiClientError
        The photo is none, or a place, a mask or an option.
    """
    if (photo is None) == (url is None):
        raise ApiClientError("Name a photo, or by --url the address of one.")
    if depth and not photo:
        raise ApiClientError("A depth map goes up with its photo: name the photo's file.")
    if depth and not depth.is_file():
        raise ApiClientError(f"There is no file {depth}.")
    if photo:
        photos.media_type(photo)
    objects: list[Wanted] = []
    for option, value in parts:
        if option == "--object" or not objects:
            objects.append(Wanted(name=value if option == "--object" else None))
        _add(objects[-1], option, value)
    objects = objects or [Wanted()]
    for wanted in objects:
        shown = (wanted.clicks or wanted.box, wanted.text, wanted.polygon, wanted.mask)
        if sum(map(bool, shown)) > 1:
            raise ApiClientError(
                "An object is shown by clicks and a box, or by one of text, polygon and mask."
            )
        if wanted.certainty is not None and not wanted.text:
            raise ApiClientError("Certainty is asked of what a text finds: name it by --text.")
        if wanted.box is None:
            clicks.need_one_inside(wanted.clicks)
    if len(objects) == 1 and objects[0].name is None and photo:
        objects[0].name = photo.stem
    plan = Plan(photo=photo, url=url, objects=objects, depth=depth)
    plan.request()  # what cannot be asked for is said at once
    return plan


def _add(wanted: Wanted, option: str, value: str) -> None:
    match option:
        case "--click":
            wanted.clicks = [*wanted.clicks, *clicks.read(value)]
        case "--box":
            wanted.box = clicks.read_box(value)
        case "--text":
            wanted.text = value
        case "--certainty":
            wanted.certainty = _certainty(value)
        case "--polygon":
            wanted.polygon = clicks.read(value)
            if len(wanted.polygon) < 3 or not all(corner.inside for corner in wanted.polygon):
                raise ApiClientError(f"{value!r} is no outline. Write three corners or more.")
        case "--mask":
            wanted.mask = Path(value)
        case "--option":
            for part, chosen in option_words.parse([value]).items():
                wanted.options = {
                    **wanted.options, part: {**wanted.options.get(part, {}), **chosen}
                }  # fmt: skip


def _certainty(value: str) -> float:
    try:
        certainty = float(value)
    except ValueError:
        certainty = -1.0
    if not 0 <= certainty <= 1:
        raise ApiClientError(f"{value!r} is no certainty. Write a number from 0 to 1.")
    return certainty


def _mask(path: Path) -> Request:
    """A mask's file as it is sent."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ApiClientError(f"{path} cannot be read: {error.strerror}.") from None
    if content.startswith(_PNG):
        if len(content) > _MOST:
            raise ApiClientError(
                f"{path} has {len(content) / 1e3:.0f} kB; a mask may have {_MOST / 1e3:.0f}. "
                "Save it in black and white, with one bit a pixel."
            )
        return {"mask": base64.b64encode(content).decode()}
    try:
        rle = json.loads(content)
        return {"rle": {"size": rle["size"], "counts": rle["counts"]}}
    except (ValueError, KeyError, TypeError):
        raise ApiClientError(
            f"{path} is no mask. Name a PNG of the photo's size, white on the object, or COCO's "
            "RLE as JSON."
        ) from None
