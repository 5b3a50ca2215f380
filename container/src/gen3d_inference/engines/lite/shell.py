"""From depth maps to gaussians on a closed surface.

The object is a solid of columns, one a pixel of a square grid: each reaches from its front to its
back. The surface is then the columns' two caps, and walls where a column is not hidden by its
neighbours: all around the silhouette, and at jumps in depth.

The frame here is the crop's camera: x right, y down, z forward; a unit is half the crop's side at
the object's mean distance `d`, so that the pixel (u, v) in [-1, 1]² at relative depth z lies at
``(u, v, d) · (d + z) / d``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gen3d_inference.engines.interface import Floats, Mask
from gen3d_inference.engines.lite.crop import Crop
from gen3d_inference.engines.lite.prediction import Prediction

FRONT_PIXELS = 80_000
"""Columns to aim at; each has two gaussians on the caps."""

WALL_DISKS = 40_000
"""Most gaussians on one of the three kinds of wall, which hold no detail of the photo."""

GRID_SIDES = (256, 640)

STEEPEST = 3.0
"""Slope above which a cap is cut: what is steeper is a wall."""

SPREAD = 0.6
"""A gaussian's standard deviation over the distance to its neighbour: closed, yet sharp."""

FLATNESS = 0.2
"""Standard deviation along the normal over that distance."""

RIM = 0.012
"""Width, in halves of the crop's side, of the rim whose pixels hold the background too."""

BLEND = 0.06
"""Width of the rim over which the back's colours run into the front's."""


@dataclass(frozen=True)
class Disks:
    """Oriented flat gaussians in the camera's frame.

    Parameters
    ----------
    centre : (n, 3)
    along, normal : (n, 3)
        Unit vectors at right angles; the third axis is their cross product.
    size : (n, 3)
        Standard deviations along `along`, across it, and along `normal`.
    colour : (n, 3)
        sRGB in [0, 1].
    """

    centre: Floats
    along: Floats
    normal: Floats
    size: Floats
    colour: Floats

    @staticmethod
    def joined(parts: "list[Disks]") -> "Disks":
        """Put disks together."""
        names = ("centre", "along", "normal", "size", "colour")
        return Disks(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class Columns:
    """The solid, on a grid of side × side pixels.

    Parameters
    ----------
    inside : (side, side)
        Where there is a column.
    front, back : (side, side)
        Relative depths of the ends; any value outside.
    front_colour, back_colour : (side, side, 3)
        sRGB in [0, 1].
    distance : float
        Of the camera.
    """

    inside: Mask
    front: Floats
    back: Floats
    front_colour: Floats
    back_colour: Floats
    distance: float

    @property
    def pitch(self) -> float:
        """Distance between columns."""
        return 2 / len(self.inside)

    def surface(self) -> Disks:
        """Lay disks on the caps and walls."""
        return Disks.joined([self._cap(front=True), self._cap(front=False), *self._walls()])

    def _cap(self, *, front: bool) -> Disks:
        depth = self.front if front else self.back
        colour = self.front_colour if front else self.back_colour
        at = np.nonzero(self.inside)
        u, v = self._pixels(at)
        z, d = depth[at], self.distance
        gu, gv = (
            _slope(depth, self.inside, axis, STEEPEST * self.pitch)[at] / self.pitch
            for axis in (1, 0)
        )
        steepness = np.hypot(gu, gv)
        tame = np.minimum(1, STEEPEST / np.maximum(steepness, 1e-6))
        gu, gv, steepness = gu * tame, gv * tame, steepness * tame
        # Tangents of (u, v) → (u, v, d)·(d + z)/d, and their cross product, which points away.
        near = (d + z) / d
        tangent_u = np.stack([near + u * gu / d, v * gu / d, gu], 1)
        tangent_v = np.stack([u * gv / d, near + v * gv / d, gv], 1)
        normal = _unit(np.cross(tangent_u, tangent_v)) * (-1 if front else 1)
        uphill = np.where(steepness > 1e-3, [gu, gv], [np.ones_like(u), np.zeros_like(u)])
        along = _unit(uphill[0][:, None] * tangent_u + uphill[1][:, None] * tangent_v)
        spacing = self.pitch * near
        size = np.stack(
            [SPREAD * spacing * np.hypot(1, steepness), SPREAD * spacing, FLATNESS * spacing], 1
        )
        return Disks(self._place(u, v, z), along, normal, size, colour[at])

    def _walls(self) -> "list[Disks]":
        cross = ndimage.generate_binary_structure(2, 1)
        beyond = np.where(self.inside, self.front, np.inf)
        before = np.where(self.inside, self.back, -np.inf)
        # What the shallowest neighbour leaves bare of each column, from the front and the back.
        # There is nothing beyond the grid, to whose edge a completed object may reach.
        edge: dict[str, Any] = {"footprint": cross, "mode": "constant"}
        front_to = np.minimum(self.back, ndimage.maximum_filter(beyond, cval=np.inf, **edge))
        back_from = np.maximum(self.front, ndimage.minimum_filter(before, cval=-np.inf, **edge))
        whole = self.inside & (front_to >= back_from)
        least = STEEPEST * self.pitch
        front_bare = self.inside & ~whole & (front_to - self.front > least)
        back_bare = self.inside & ~whole & (self.back - back_from > least)
        rim = _gradient(self.inside.astype(np.float32), 1.5)
        front_rise, back_rise = _gradient(self.front, 1.0), _gradient(self.back, 1.0)
        return [
            self._wall(whole, self.front, self.back, -rim, (0.0, 1.0)),
            self._wall(front_bare, self.front, front_to, front_rise, (0.0, 0.0)),
            self._wall(back_bare, back_from, self.back, -back_rise, (1.0, 1.0)),
        ]

    def _wall(
        self,
        where: Mask,
        start: Floats,
        end: Floats,
        outward: Floats,
        mix: tuple[float, float],
    ) -> Disks:
        """Line up disks along the columns at `where`; `mix` is the back's share at both ends."""
        at = np.nonzero(where)
        length = end[at] - start[at]
        step = max(2 * self.pitch, float(length.sum()) / WALL_DISKS)
        counts = np.ceil(length / step).astype(int)
        which = np.repeat(np.arange(len(counts)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        share = (np.arange(len(which)) - first + 0.5) / counts[which]
        at = (at[0][which], at[1][which])
        u, v = self._pixels(at)
        z = start[at] + share * length[which]
        ray = _unit(np.stack([u, v, np.full_like(u, self.distance)], 1))
        flat = np.concatenate([outward[at], np.zeros((len(u), 1), np.float32)], 1)
        normal = _unit(flat - (flat * ray).sum(1, keepdims=True) * ray)
        near = (self.distance + z) / self.distance
        deep, wide = SPREAD * length[which] / counts[which], SPREAD * self.pitch * near
        size = np.stack([deep, wide, FLATNESS * self.pitch * near], 1)
        share = (mix[0] + (mix[1] - mix[0]) * share)[:, None]
        colour = (1 - share) * self.front_colour[at] + share * self.back_colour[at]
        return Disks(self._place(u, v, z), ray, normal, size, colour)

    def _pixels(self, at: tuple[NDArray[np.intp], ...]) -> tuple[Floats, Floats]:
        v, u = ((index + 0.5) * self.pitch - 1 for index in at)
        return u.astype(np.float32), v.astype(np.float32)

    def _place(self, u: Floats, v: Floats, z: Floats) -> Floats:
        near = (self.distance + z) / self.distance
        return np.stack([u * near, v * near, self.distance + z], 1)


def columns(crop: Crop, photo: Image.Image, mask: Mask, prediction: Prediction) -> Columns:
    """Sample the network's maps and the photo on a grid fine enough for the photo's details.

    Parameters
    ----------
    mask : (height, width)
        Of the photo's size.
    """
    p = prediction
    side = int(np.clip(np.sqrt(FRONT_PIXELS / p.whole.mean()), *GRID_SIDES))
    seen = crop.mask(mask, side)
    # Beyond the mask's own, finer outline only near to what is hidden.
    near_hidden = ndimage.binary_dilation(p.whole & ~p.shown, iterations=2)
    hidden = (_enlarged(p.whole, side) >= 0.5) & (_enlarged(near_hidden, side) >= 0.5) & ~seen
    inside = seen | hidden
    nearest = ndimage.distance_transform_edt(~p.whole, return_distances=False, return_indices=True)
    maps = np.dstack([p.front, p.thickness, p.back_colour])[tuple(nearest)]
    fine = np.dstack([_enlarged(maps[..., k], side) for k in range(maps.shape[2])])
    depth = fine[..., 0]
    front_colour = continued(_without_rim(crop.colours(photo, side), seen), seen, hidden)
    back_known = _enlarged(p.shown, side) >= 0.5
    back_colour = continued(np.clip(fine[..., 2:], 0, 1), back_known, inside & ~back_known)
    from_rim = ndimage.distance_transform_edt(inside) * 2 / side
    blend = np.clip(from_rim / BLEND, 0, 1)[..., None]
    return Columns(
        inside=inside,
        front=depth,
        back=depth + np.maximum(fine[..., 1], 2 / side),
        front_colour=front_colour,
        back_colour=(1 - blend) * front_colour + blend * back_colour,
        distance=crop.distance,
    )


def _without_rim(colours: Floats, inside: Mask) -> Floats:
    """Replace the rim's colours, which are mixed with the background's, by those next to it."""
    width = max(1, round(RIM * len(inside) / 2))
    inner = ndimage.binary_erosion(inside, iterations=width)
    if not inner.any():
        return colours
    away, nearest = ndimage.distance_transform_edt(~inner, return_indices=True)
    # A part too thin to have an inside keeps its own colours rather than take a distant part's.
    near = (away <= 2 * width)[..., None]
    return np.where(near, colours[tuple(nearest)], colours)


def continued(colours: Floats, known: Mask, unknown: Mask) -> Floats:
    """Give pixels the colours of the known ones around them: near ones where there are any.

    The network says of hidden colours only that they are grey on average.
    """
    if not unknown.any():
        return colours
    continued, left = colours.copy(), unknown.copy()
    reach = 2.0
    while left.any():
        weight = ndimage.gaussian_filter(known.astype(np.float32), reach, truncate=3)
        near = left & (weight > 0.02)
        for k in range(3):
            blurred = ndimage.gaussian_filter(colours[..., k] * known, reach, truncate=3)
            continued[..., k][near] = blurred[near] / weight[near]
        left &= ~near
        reach *= 2
    return continued


def _enlarged(field: Floats | Mask, side: int) -> Floats:
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32)


def _slope(field: Floats, inside: Mask, axis: int, jump: float) -> Floats:
    """Change from a pixel to the next, never taken across a jump or the silhouette.

    The mean of the differences to the neighbours before and after, or the one that is no jump; of
    two jumps, the smaller.
    """
    after = np.where(np.roll(inside, -1, axis) & inside, np.roll(field, -1, axis) - field, np.nan)
    before = np.roll(after, 1, axis)
    smaller = np.where(np.abs(after) < np.abs(before), after, before)
    one = np.where(np.isnan(smaller), np.fmin(after, before), smaller)
    smooth = np.maximum(np.abs(after), np.abs(before)) <= jump
    return np.nan_to_num(np.where(smooth, (after + before) / 2, one))


def _gradient(field: Floats, sigma: float) -> Floats:
    """Gradient (right, down) of the smoothed field: (side, side, 2)."""
    return np.dstack(
        [ndimage.gaussian_filter(field, sigma, order=order) for order in ((0, 1), (1, 0))]
    )


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
