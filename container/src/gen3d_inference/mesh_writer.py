"""Writes an engine's textured mesh as GLB, by trimesh, for the mesh step to read."""

import io
from dataclasses import fields

import numpy as np
from PIL import Image

from gen3d.errors import ReconstructionFailed
from gen3d_inference.engines.interface import TexturedMesh

MAX_FACES = 2_000_000
"""Of a mesh that an engine makes: what the mesh step mends in its time and memory."""

MAX_SIDE = 4096
"""Texels along a picture's edge: what the mesh step reads."""

_FAR = 10.0
"""Sides of the frame, as of a splat; see `gen3d_inference.ply_writer`."""

_AGAIN = "Try again with another seed or mask."


def pack(mesh: TexturedMesh) -> bytes:
    """Lay a mesh out as a GLB with Y up, as glTF has it; its pictures are PNGs, which lose nothing.

    Raises
    ------
    ReconstructionFailed
        No faces, a corner that is none or no number, more faces or texels than the mesh step takes,
        most of the mesh far out of the object's frame, or arrays that do not fit each other.
    """
    import trimesh  # for engines that make meshes; the others start without it

    _check(mesh)
    x, y, z = mesh.vertices.T
    material = trimesh.visual.material.PBRMaterial(
        name="surface",
        baseColorTexture=Image.fromarray(mesh.color),
        metallicFactor=float(mesh.metallic),
        roughnessFactor=float(mesh.roughness),
        metallicRoughnessTexture=_picture(mesh.metallic_roughness),
        normalTexture=_picture(mesh.normal_map),
    )
    upward = mesh.uv * np.array([1, -1], np.float32) + np.array([0, 1], np.float32)
    made = trimesh.Trimesh(
        np.stack([x, z, -y], axis=1),
        mesh.faces,
        visual=trimesh.visual.TextureVisuals(uv=upward, material=material),
        process=False,
    )
    file = io.BytesIO()
    made.export(file, file_type="glb", include_normals=False)
    return file.getvalue()


def _picture(image: object) -> Image.Image | None:
    return None if image is None else Image.fromarray(np.asarray(image))


def _check(mesh: TexturedMesh) -> None:
    _check_shapes(mesh)
    n, m = len(mesh.vertices), len(mesh.faces)
    if m == 0:
        raise ReconstructionFailed(
            "No surface came out of this mask. Cover more of the object and try again."
        )
    if m > MAX_FACES or n > 3 * MAX_FACES:
        raise ReconstructionFailed(
            f"The engine made {m:,} faces with {n:,} vertices; {MAX_FACES:,} faces are taken. "
            "Choose a lower quality of the engine, or have it make fewer."
        )
    finite = np.isfinite(mesh.vertices).all(1) & np.isfinite(mesh.uv).all(1)
    if not finite.all() or not np.isfinite([mesh.metallic, mesh.roughness]).all():
        raise ReconstructionFailed(
            f"{(~finite).sum():,} of {n:,} vertices of the engine's mesh are no numbers. {_AGAIN}"
        )
    if mesh.faces.min() < 0 or mesh.faces.max() >= n:
        raise ReconstructionFailed(f"Faces of the engine's mesh lack their corners. {_AGAIN}")
    far = (np.abs(mesh.vertices) > _FAR).any(1)
    if far.mean() > 0.5:
        raise ReconstructionFailed(
            f"{far.sum():,} of {n:,} vertices lie far out of the object's frame. {_AGAIN}"
        )


def _check_shapes(mesh: TexturedMesh) -> None:
    n, m = len(mesh.vertices), len(mesh.faces)
    wrong = [
        name
        for name, shape, kind in (
            ("vertices", (n, 3), np.floating),
            ("faces", (m, 3), np.integer),
            ("uv", (n, 2), np.floating),
        )
        if (array := getattr(mesh, name)).shape != shape or not np.issubdtype(array.dtype, kind)
    ]
    for picture in fields(mesh):
        image = getattr(mesh, picture.name)
        if picture.name not in ("color", "metallic_roughness", "normal_map") or image is None:
            continue
        fits = image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size
        if not fits:
            wrong.append(picture.name)
        elif max(image.shape) > MAX_SIDE:
            raise ReconstructionFailed(
                f"{picture.name} of the engine's mesh has {image.shape[1]:,} × {image.shape[0]:,} "
                f"texels; {MAX_SIDE:,} along an edge are taken. Have the engine make fewer."
            )
    if wrong:
        raise ReconstructionFailed(
            f"The engine's mesh is not of the documented form: {', '.join(wrong)}. Report it to "
            "whoever wrote the engine."
        )
