"""Where each object of a photo stands, beside the others and before the photo's camera.

All that is placed comes in the canonical frame (Z up, the front facing -Y). A pose takes it to the
camera of PyTorch3D (x left, y up, z forward). What is made is a scene in glTF's frame: Y up, its
origin on the ground in the middle, with the photo's camera in it.

An engine may see how far objects are from each other, or only where each falls in the photo. What
is scaled about the camera looks the same from there; so where the distance of an object was not
seen, its pose is kept and it is drawn up to the others by that alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gen3d.contract import Pose
from gen3d_mesh.scene.similarity import FACING, FROM_CAMERA, Doubles, Similarity, between

USUAL_VIEW = math.radians(55)
"""Across the longer side of a photo whose camera nobody knows: a phone's main lens has 50–70°."""

AGREE = math.cos(math.radians(20))
"""Objects whose upright axes differ by less speak of the same ground."""

_ROUNDS = 6
"""In which size and place by a mask settle, as what is nearer looks larger."""

_NEAREST = 1.5
"""Depth of an object at a distance of 1 at most, so that all of it is before the camera."""

Placed: TypeAlias = Literal["pose", "mask"]
"""By what an object was placed: by an engine that saw its distance, or by where its mask lies."""


@dataclass(frozen=True)
class Frame:
    """A photo's pixels, and where a mask lies in them."""

    width: int
    height: int

    @property
    def half(self) -> float:
        """Half the longer side: the unit in which places in the photo are told."""
        return max(self.width, self.height) / 2


@dataclass(frozen=True)
class Box:
    """A box in a photo, right and down of its middle, in halves of its longer side."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, x: Doubles, y: Doubles) -> "Box":
        """Around points."""
        return cls(float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    @property
    def size(self) -> float:
        """The mean of width and height, as their product knows it."""
        return math.sqrt((self.right - self.left) * (self.bottom - self.top))

    @property
    def middle(self) -> tuple[float, float]:
        """Right and down."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Thing:
    """An object to be placed.

    Attributes
    ----------
    points : (n, 3) float
        Of its surface, in the canonical frame.
    pose : Pose or None
        Where its engine saw it.
    mask : Box or None
        Where it lies in the photo; asked for where there is no pose, or no field of view.
    height : float or None
        Metres that it is high, where somebody said so: its box, upright.
    """

    points: Doubles
    pose: Pose | None
    mask: Box | None = None
    height: float | None = None

    @property
    def tall(self) -> float:
        """Its height in the canonical frame."""
        return float(np.ptp(self.points[:, 2]))


@dataclass(frozen=True)
class Place:
    """Where an object stands.

    Attributes
    ----------
    move : Similarity
        From the canonical frame to the scene.
    placed : Placed
    """

    move: Similarity
    placed: Placed


@dataclass(frozen=True)
class Camera:
    """The photo's camera in a scene.

    Attributes
    ----------
    move : Similarity
        From glTF's camera (looking along -z, Y up) to the scene.
    view : float
        Field of view across the photo's longer side, radians.
    photo : Frame
    """

    move: Similarity
    view: float
    photo: Frame

    @property
    def vertical(self) -> float:
        """Field of view from the photo's top to its bottom, radians."""
        return 2 * math.atan(math.tan(self.view / 2) * self.photo.height / (2 * self.photo.half))


@dataclass(frozen=True)
class Layout:
    """A scene: its camera, its objects in their order, and whether its unit is the metre."""

    camera: Camera
    places: tuple[Place, ...]
    metres: bool


@dataclass(frozen=True)
class _Seen:
    """An object before the camera; `apart` where its distance is anybody's guess."""

    thing: Thing
    move: Similarity
    apart: bool
    leans: bool
    """Whether somebody saw which way it is turned."""

    @property
    def distance(self) -> float:
        """Of the middle of its box from the camera's plane."""
        depths = self.move(self.thing.points)[:, 2]
        return float(depths.min() + depths.max()) / 2

    def sized(self, factor: float) -> "_Seen":
        """Nearer or farther, and smaller or larger: the same to the camera."""
        move = self.move.then(Similarity.size(factor))
        return _Seen(self.thing, move, self.apart, self.leans)

    @property
    def to_its_size(self) -> float | None:
        """By how much it has to be scaled for the height that somebody gave."""
        if self.thing.height is None or self.thing.tall <= 0:
            return None
        return self.thing.height / (self.move.scale * self.thing.tall)


def seen(points: Doubles, focal: float) -> tuple[Doubles, Doubles]:
    """Where points of PyTorch3D's camera fall in the photo.

    Parameters
    ----------
    points : (n, 3)
        Before the camera: z above 0.
    focal : float
        In halves of the photo's longer side.

    Returns
    -------
    x, y : (n,)
        Right and down of the photo's middle, in halves of its longer side.
    """
    return -focal * points[:, 0] / points[:, 2], -focal * points[:, 1] / points[:, 2]


def focal_of(view: float) -> float:
    """Of a field of view across the longer side, in halves of that side."""
    return 1 / math.tan(view / 2)


def place(things: Sequence[Thing], photo: Frame) -> Layout:
    """Set the objects of a photo beside each other.

    Objects whose engine saw their distance stand as it saw them. The others are turned as they were
    seen, and set at the middle distance of those, or all at one. What somebody said of an object's
    height makes the metre the scene's unit: objects that were seen together grow together, the
    others each for themselves, as far as it is known. So do poses that know the metre; beside them
    the distance of other poses is of another measure, and counts for nothing.

    Parameters
    ----------
    things : sequence of Thing
        At least one.
    photo : Frame
    """
    view = _view(things)
    metric = any(thing.pose is not None and thing.pose.metric for thing in things)
    before = [_before(thing, focal_of(view), metric=metric) for thing in things]
    sized, metres = _sized(before)
    upright = _upright(sized)
    standing = [one.move.then(FROM_CAMERA).then(upright) for one in sized]
    corners = np.concatenate(
        [_corners(move(one.thing.points)) for move, one in zip(standing, sized, strict=True)]
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    ground = Similarity.move(-np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]))
    places = tuple(
        Place(move.then(ground), "mask" if one.apart else "pose")
        for move, one in zip(standing, sized, strict=True)
    )
    return Layout(Camera(upright.then(ground), view, photo), places, metres)


def _corners(points: Doubles) -> Doubles:
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _view(things: Sequence[Thing]) -> float:
    """The camera's field of view: as engines say, or as masks and poses together do."""
    told = [t.pose.field_of_view for t in things if t.pose and t.pose.field_of_view]
    if told:
        return float(np.median(told))
    guessed = [focal for t in things if (focal := focal_by_mask(t)) is not None]
    return 2 * math.atan(1 / float(np.median(guessed))) if guessed else USUAL_VIEW


def focal_by_mask(thing: Thing) -> float | None:
    """The focal length at which an object is as large in the photo as its mask is."""
    posed = before_camera(thing)
    if posed is None or thing.mask is None:
        return None
    points = posed(thing.points)
    if not (points[:, 2] > 0).all():
        return None
    size = Box.of(*seen(points, 1.0)).size
    return thing.mask.size / size if size > 0 and thing.mask.size > 0 else None


def before_camera(thing: Thing) -> Similarity | None:
    """The pose, where there is one that puts the object before the camera."""
    if thing.pose is None:
        return None
    try:
        move = Similarity.of(thing.pose)
    except ValueError:
        return None
    return move if move(thing.points)[:, 2].mean() > 0 else None


def _before(thing: Thing, focal: float, *, metric: bool) -> _Seen:
    posed = before_camera(thing)
    if posed is None or thing.pose is None:
        return _Seen(thing, _by_mask(thing, focal), apart=True, leans=False)
    if thing.pose.field_of_view and not thing.pose.shared_depth:
        # A camera of its own: at another distance the object falls where it fell.
        away = focal / focal_of(thing.pose.field_of_view)
        posed = Similarity(posed.rotation, posed.translation * (1, 1, away), posed.scale)
    apart = not thing.pose.shared_depth or thing.pose.metric != metric
    return _Seen(thing, posed, apart=apart, leans=True)


def _by_mask(thing: Thing, focal: float) -> Similarity:
    """Facing the camera, as large in the photo as its mask, its middle at a distance of 1."""
    mask = thing.mask or Box(-0.5, -0.5, 0.5, 0.5)
    faced = FACING(thing.points)
    middle = (faced.min(axis=0) + faced.max(axis=0)) / 2
    centred = FACING.then(Similarity.move(-middle))
    scale, aside = 1e-3 / float(np.ptp(faced, axis=0).max()), np.array([0.0, 0.0, 1.0])
    move = centred.then(Similarity.size(scale)).then(Similarity.move(aside))
    for _ in range(_ROUNDS):
        box = Box.of(*seen(move(thing.points), focal))
        right, down = np.subtract(mask.middle, box.middle)
        aside = aside - np.array([right / focal, down / focal, 0.0])
        scale = min(scale * mask.size / max(box.size, 1e-9), _NEAREST / np.ptp(faced[:, 2]))
        move = centred.then(Similarity.size(scale)).then(Similarity.move(aside))
    return move


def _sized(before: Sequence[_Seen]) -> tuple[list[_Seen], bool]:
    """All in one measure, and whether that is the metre."""
    together = [one for one in before if not one.apart]
    alone = [one for one in before if one.apart]
    factors = [factor for one in together if (factor := one.to_its_size) is not None]
    known = [one.distance * factor for one in alone if (factor := one.to_its_size) is not None]
    metric = any(one.thing.pose is not None and one.thing.pose.metric for one in together)
    whole = 1.0
    if factors:
        whole = float(np.median(factors))
    elif known and together and not metric:
        whole = float(np.median(known) / np.median([one.distance for one in together]))
    distances = [whole * one.distance for one in together] or known
    # Where nobody knows any distance the largest object's size is 1.
    middle = (
        float(np.median(distances))
        if distances
        else 1 / max(one.move.scale / one.distance for one in alone)
    )
    sized = [
        one.sized(one.to_its_size or middle / one.distance) if one.apart else one.sized(whole)
        for one in before
    ]
    return sized, metric or bool(factors or known)


def _upright(sized: Sequence[_Seen]) -> Similarity:
    """The turn after which most objects stand upright, where a camera had looked down on them."""
    up, camera = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    axes = np.array(
        [FROM_CAMERA.rotation.apply(one.move.rotation.apply(up)) for one in sized if one.leans]
    ).reshape(-1, 3)
    if not len(axes):
        return Similarity.size(1.0)
    alike = axes @ axes.T
    middle = axes[int(alike.sum(axis=1).argmax())]
    agreed = axes[axes @ middle >= AGREE].mean(axis=0)
    return between(agreed, camera) if agreed @ camera > -0.5 else Similarity.size(1.0)
