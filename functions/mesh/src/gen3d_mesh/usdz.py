"""Write USDZ, for AR on Apple's devices, by Pixar's own library (the extra ``usdz``).

What a package has to be (root layer first, nothing compressed, data at multiples of 64 bytes) is
seen to by that library, and its validators have the last word.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from gen3d_mesh import glb
from gen3d_mesh.coloured_mesh import ROUGH, ColouredMesh, srgb_to_linear, y_up

_COLOUR, _NORMALS, _MATERIAL = "mesh.jpg", "mesh_normal.jpg", "mesh_material.jpg"


def encode(coloured: ColouredMesh, name: str) -> bytes:
    """Make a USDZ: Y up, a unit of it a metre.

    Without a texture the colours are the vertices', which not every viewer shows. Rough and not
    metallic, unless the texture's material says otherwise.

    Parameters
    ----------
    coloured : ColouredMesh
    name : str
        Shown by viewers.

    Raises
    ------
    ImportError
        usd-core is not installed.
    ValueError
        The library finds the file at fault.
    """
    from pxr import Usd, UsdUtils

    # Layers are known by their path as long as anything holds them: each file has its own folder.
    with tempfile.TemporaryDirectory() as folder:
        layer, package = Path(folder) / "mesh.usdc", Path(folder) / "mesh.usdz"
        if coloured.texture is not None:
            (Path(folder) / _COLOUR).write_bytes(glb.jpeg(coloured.texture.image))
            if coloured.texture.normal_map is not None:
                (Path(folder) / _NORMALS).write_bytes(glb.jpeg(coloured.texture.normal_map))
            if coloured.texture.material.picture is not None:
                picture = glb.jpeg(coloured.texture.material.picture)
                (Path(folder) / _MATERIAL).write_bytes(picture)
        stage = Usd.Stage.CreateNew(str(layer))
        _describe(stage, coloured, name)
        stage.GetRootLayer().Save()
        del stage
        if not UsdUtils.CreateNewUsdzPackage(str(layer), str(package)):
            raise ValueError("the USDZ could not be packed")
        faults = validate(package)
        if faults:
            raise ValueError(f"the USDZ is at fault: {'; '.join(faults)}")
        return package.read_bytes()


def validate(path: Path) -> list[str]:
    """What usd-core's validators say of a file."""
    from pxr import Usd, UsdValidation

    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    stage = Usd.Stage.Open(str(path))
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    return [error.GetErrorAsString() for error in errors]


def _describe(stage: Any, coloured: ColouredMesh, name: str) -> None:
    from pxr import Gf, Sdf, UsdGeom, UsdShade, Vt

    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/Object")
    root.GetPrim().SetDisplayName(name)
    stage.SetDefaultPrim(root.GetPrim())
    mesh = UsdGeom.Mesh.Define(stage, "/Object/Mesh")
    texture = coloured.texture
    pick = slice(None) if texture is None else texture.vertices
    faces = coloured.mesh.faces if texture is None else texture.faces
    positions = y_up(coloured.positions)[pick]
    vectors = Vt.Vec3fArray.FromNumpy
    mesh.CreatePointsAttr(vectors(positions))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.ravel().astype(np.int32)))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, np.int32)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)  # else it is smoothed away
    mesh.CreateExtentAttr(vectors(np.stack([positions.min(axis=0), positions.max(axis=0)])))
    mesh.CreateNormalsAttr(vectors(y_up(coloured.normals)[pick]))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)

    values = UsdGeom.PrimvarsAPI(mesh)
    material = UsdShade.Material.Define(stage, "/Object/Material")
    surface = UsdShade.Shader.Define(stage, "/Object/Material/Surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    known = ROUGH if texture is None else texture.material
    metallic = surface.CreateInput("metallic", Sdf.ValueTypeNames.Float)
    roughness = surface.CreateInput("roughness", Sdf.ValueTypeNames.Float)
    metallic.Set(known.metallic)
    roughness.Set(known.roughness)
    reader = UsdShade.Shader.Define(stage, "/Object/Material/Reader")
    if texture is None:
        kind, variable = Sdf.ValueTypeNames.Color3fArray, "displayColor"
        shown = values.CreatePrimvar(variable, kind, UsdGeom.Tokens.vertex)
        shown.Set(vectors(srgb_to_linear(coloured.colors)))
        reader.CreateIdAttr("UsdPrimvarReader_float3")
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set(variable)
        colour = reader.CreateOutput("result", Sdf.ValueTypeNames.Float3)
    else:
        uv = values.CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex)
        upward = (texture.uv * (1, -1) + (0, 1)).astype(np.float32)
        uv.Set(Vt.Vec2fArray.FromNumpy(upward))
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
        place = reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)

        picture = _picture(stage, "Picture", _COLOUR, "sRGB", place, (0.5, 0.5, 0.5, 1))
        colour = picture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
        if known.picture is not None:
            shades = _picture(stage, "Shades", _MATERIAL, "raw", place, (1, 1, 0, 1))
            factors = Gf.Vec4f(1, known.roughness, known.metallic, 1)
            shades.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(factors)
            for taker, channel in ((roughness, "g"), (metallic, "b")):
                output = shades.CreateOutput(channel, Sdf.ValueTypeNames.Float)
                taker.ConnectToSource(output)
        if texture.normal_map is not None:
            relief = _picture(stage, "Relief", _NORMALS, "raw", place, (0, 0, 1, 1))
            relief.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
            relief.CreateInput("bias", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
            normal = relief.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
            surface.CreateInput("normal", Sdf.ValueTypeNames.Normal3f).ConnectToSource(normal)
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(colour)
    output = surface.CreateOutput("surface", Sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput().ConnectToSource(output)
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def _picture(
    stage: Any, name: str, file: str, space: str, place: Any, fallback: tuple[float, ...]
) -> Any:
    """A picture of a colour space, looked up at a place."""
    from pxr import Gf, Sdf, UsdShade

    picture = UsdShade.Shader.Define(stage, f"/Object/Material/{name}")
    picture.CreateIdAttr("UsdUVTexture")
    picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(f"./{file}"))
    picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set(space)
    for side in ("wrapS", "wrapT"):
        picture.CreateInput(side, Sdf.ValueTypeNames.Token).Set("clamp")
    picture.CreateInput("fallback", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(*fallback))
    picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(place)
    return picture
