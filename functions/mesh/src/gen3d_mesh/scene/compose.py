"""From the objects of a job to the files of their scene."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gen3d.contract import Pose
from gen3d_mesh.clean import Frame as UnitFrame
from gen3d_mesh.coloured_mesh import ColouredMesh, Texture, linear_to_srgb
from gen3d_mesh.preview import render
from gen3d_mesh.scene.glb_file import Glb, join, with_camera
from gen3d_mesh.scene.placing import (
    Box,
    Frame,
    Layout,
    Placed,
    Thing,
    before_camera,
    place,
)
from gen3d_mesh.scene.similarity import Y_UP, Similarity
from gen3d_mesh.scene.spz import pack
from gen3d_mesh.scene.together import Gaussians, joined
from gen3d_mesh.surface import Triangles


@dataclass(frozen=True)
class Member:
    """An object of a scene.

    Attributes
    ----------
    name : str
    glb : bytes
        Its mesh, as it was written for it alone.
    splat : bytes or None
        Its gaussians likewise; None of an engine that makes meshes.
    pose : Pose or None
    mask : Box or None
        See `gen3d_mesh.scene.placing.Thing`.
    height : float or None
        Metres, where somebody said so.
    """

    name: str
    glb: bytes
    splat: bytes | None
    pose: Pose | None
    mask: Box | None = None
    height: float | None = None


@dataclass(frozen=True)
class Composed:
    """A scene: its files by their endings, and what is told of it.

    Attributes
    ----------
    files : dict of str to bytes
    picture : bytes
        PNG.
    placed : tuple of Placed
        By what each object was placed.
    heights : tuple of float
        Of each object in the scene's unit, upright.
    metres : bool
        Whether that unit is the metre.
    """

    files: dict[str, bytes]
    picture: bytes
    placed: tuple[Placed, ...]
    heights: tuple[float, ...]
    metres: bool


def compose(members: Sequence[Member], photo: Frame) -> Composed:
    """Set objects beside each other as they stood in their photo.

    GLB and SPZ are Y up, the PLY is Z up, as an object's own files are. Where no object has
    gaussians there is the GLB alone.

    Raises
    ------
    ValueError
        A GLB is not one of ours.
    InvalidSplat
        A splat is not one of ours.
    """
    glbs = [Glb.read(member.glb) for member in members]
    things = [
        Thing(glb.points, member.pose, member.mask, member.height)
        for glb, member in zip(glbs, members, strict=True)
    ]
    layout = place(things, photo)
    files = {"glb": join(glbs, [member.name for member in members], layout)}
    clouds = [
        Gaussians.read(member.splat).moved(stands.move)
        for member, stands in zip(members, layout.places, strict=True)
        if member.splat is not None
    ]
    if clouds:
        cloud = joined(clouds)
        files |= {"spz": pack(cloud), "ply": cloud.moved(Y_UP.inverse).ply()}
    return Composed(
        files=files,
        picture=_picture(glbs, layout),
        placed=tuple(stands.placed for stands in layout.places),
        heights=tuple(
            thing.tall * stands.move.scale
            for thing, stands in zip(things, layout.places, strict=True)
        ),
        metres=layout.metres,
    )


def as_in_photo(data: bytes, pose: Pose, mask: Box, photo: Frame) -> bytes:
    """An object's own GLB with the photo's camera in it, by which it is seen as in the photo.

    As it was, where the pose does not put the object before a camera: which way it is turned in
    the photo is not known then.

    Parameters
    ----------
    data : bytes
        The GLB.
    pose : Pose
    mask : Box
    photo : Frame
    """
    glb = Glb.read(data)
    thing = Thing(glb.points, pose, mask)
    return with_camera(glb, place([thing], photo)) if before_camera(thing) else data


def _picture(glbs: Sequence[Glb], layout: Layout) -> bytes:
    moves = [
        glb.canonical.then(stands.move).then(Y_UP.inverse)
        for glb, stands in zip(glbs, layout.places, strict=True)
    ]
    parts = [_coloured(glb, move) for glb, move in zip(glbs, moves, strict=True)]
    every = np.concatenate([part.mesh.vertices for part in parts])
    low, high = every.min(axis=0), every.max(axis=0)
    middle, longest = (low + high) / 2, float((high - low).max())
    return render(
        *(
            replace(part, mesh=replace(part.mesh, vertices=(part.mesh.vertices - middle) / longest))
            for part in parts
        )
    )


def _coloured(glb: Glb, move: Similarity) -> ColouredMesh:
    """A GLB's mesh, moved, to be drawn."""
    surface = glb.surface
    faces = surface.faces.astype(np.int32)
    count = len(surface.positions)
    texture = None
    if surface.picture is not None and surface.uv is not None:
        texture = Texture(surface.picture, surface.uv, faces, np.arange(count, dtype=np.int32))
    colors = np.zeros((count, 3), np.float32) if surface.colors is None else surface.colors
    return ColouredMesh(
        Triangles(move(surface.positions).astype(np.float32), faces),
        move.rotation.apply(surface.normals).astype(np.float32),
        linear_to_srgb(colors),
        UnitFrame(np.zeros(3), 1.0),
        texture,
    )
