"""The formats of photos, meshes and scenes, each said once.

API, mesh step, mails, documents and the page, whose copy `docs.generate.copies` writes, read them
here. A mesh's format is written in `gen3d_mesh.write`, a photo's is read in `gen3d.decoding`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PhotoFormat:
    """A format in which photos are taken."""

    media_type: str
    ending: str
    name: str
    """As people write it; in capitals, as Pillow does."""


@dataclass(frozen=True)
class MeshFormat:
    """A format in which meshes are written."""

    ending: str
    media_type: str
    label: str
    use: str
    """What it is good for, or what it holds: the words behind its label."""
    offered: bool = True
    """Whether each job makes it; others are made where their library is installed."""


PHOTO_FORMATS: dict[str, PhotoFormat] = {
    taken.media_type: taken
    for taken in (
        PhotoFormat("image/jpeg", "jpg", "JPEG"),
        PhotoFormat("image/png", "png", "PNG"),
        PhotoFormat("image/webp", "webp", "WebP"),
        PhotoFormat("image/avif", "avif", "AVIF"),
    )
}
"""By the content type under which a photo is uploaded."""

EVERY_MESH_FORMAT: dict[str, MeshFormat] = {
    written.ending: written
    for written in (
        MeshFormat("glb", "model/gltf-binary", "GLB", "for the web, Blender, game engines"),
        MeshFormat(
            "draco.glb", "model/gltf-binary", "GLB, small", "Draco, for readers that know it"
        ),
        MeshFormat(
            "meshopt.glb",
            "model/gltf-binary",
            "GLB, meshopt",
            "meshoptimizer, for readers that know it",
            offered=False,
        ),
        MeshFormat("zip", "application/zip", "OBJ, textured", "a ZIP, with its material"),
        MeshFormat("obj", "model/obj", "OBJ", "with vertex colours"),
        MeshFormat("stl", "model/stl", "STL", "for 3D printing"),
        MeshFormat("ply", "application/octet-stream", "PLY", "with vertex colours"),
        MeshFormat("3mf", "model/3mf", "3MF", "for 3D printing in colour"),
        MeshFormat("usdz", "model/vnd.usdz+zip", "USDZ", "for AR on iPhone and iPad"),
    )
}
"""By ending, the one for the browser first."""

SPLAT_FORMATS: dict[str, MeshFormat] = {
    written.ending: written
    for written in (
        MeshFormat("spz", "application/octet-stream", "Splat, small", "the gaussians, SPZ"),
    )
}
"""Those that the mesh step writes of an object's gaussians, beside the PLY that it takes."""

SCENE_FORMATS: dict[str, MeshFormat] = {
    written.ending: written
    for written in (
        MeshFormat("glb", "model/gltf-binary", "GLB", "every mesh, and the photo's camera"),
        MeshFormat("spz", "application/octet-stream", "SPZ", "every splat, small"),
        MeshFormat("ply", "application/octet-stream", "Splat", "every splat, PLY"),
    )
}
"""Those of a job's objects together, by ending, in the order in which they are offered."""

MESH_FORMATS: dict[str, MeshFormat] = {
    ending: written for ending, written in EVERY_MESH_FORMAT.items() if written.offered
}
"""Those that a job offers, by ending, in the order in which they are offered."""
