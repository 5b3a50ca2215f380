"""What an engine is: the one interface between the server and the networks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gen3d.contract import EmbeddingsMeta, Pose, Takes
from gen3d.options import EngineOptions, Offer

Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]
Pixels: TypeAlias = NDArray[np.uint8]
Tell: TypeAlias = Callable[[str, float], None]
"""Called with a phase's name, of letters, and the fraction of it that is done, up to 1 at its end.

It returns at once and raises nothing, so that it may be called at each step.
"""


@dataclass(frozen=True)
class Candidates:
    """Objects that a text prompt found, best first; at most `gen3d.contract.MAX_CANDIDATES`.

    Parameters
    ----------
    logits : (k, height, width)
        Positive on the object; the photo stretched as it is for the decoder.
    scores : (k,)
        From 0 to 1; `gen3d.contract.SURE` and more where the engine is sure.
    text : str
        What they were found by.
    """

    logits: Floats
    scores: Floats
    text: str


@dataclass(frozen=True)
class Embeddings:
    """The mask decoder's image inputs, by the names that the decoder declares.

    `meta.precision` says in which precision they are stored; whoever reads them gives the decoder
    what it declares. The tensors are in that precision, or float32. `candidates` are there where
    the request had a text.
    """

    tensors: Mapping[str, NDArray[np.generic]]
    meta: EmbeddingsMeta
    candidates: Candidates | None = None


@dataclass(frozen=True)
class Gaussians:
    """A splat in the canonical frame: [-0.5, 0.5]³, Z up.

    Parameters
    ----------
    xyz : (n, 3)
        Centres.
    f_dc : (n, 3)
        Colour as the zeroth spherical harmonic: ``rgb = 0.5 + 0.28209479 · f_dc``, sRGB in [0, 1].
    opacity : (n,)
        Logit of the opacity.
    scale : (n, 3)
        Natural logarithm of the standard deviations along the rotated axes.
    rotation : (n, 4)
        Quaternion, wxyz; need not be normalised.
    """

    xyz: Floats
    f_dc: Floats
    opacity: Floats
    scale: Floats
    rotation: Floats

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(frozen=True)
class TexturedMesh:
    """A surface in the canonical frame, [-0.5, 0.5]³, Z up, with pictures of its material.

    The material is glTF's metallic-roughness. The mesh need not be closed, nor of one part; the
    mesh step mends it.

    Parameters
    ----------
    vertices : (n, 3)
        One on a seam of the pictures occurs more than once.
    faces : (m, 3)
        Counter-clockwise seen from outside.
    uv : (n, 2)
        In [0, 1], from the pictures' top left corner.
    color : (h, w, 3)
        sRGB.
    metallic, roughness : float
        From 0 to 1; factors of the next, where there is one.
    metallic_roughness : (h, w, 3), optional
        Linear: roughness is green, metal blue.
    normal_map : (h, w, 3), optional
        -1 to 1: red to the right of the picture, green to its top, blue outward; for smooth normals
        of the vertices, and MikkTSpace's tangents.
    """

    vertices: Floats
    faces: NDArray[np.int32]
    uv: Floats
    color: Pixels
    metallic: float = 0.0
    roughness: float = 1.0
    metallic_roughness: Pixels | None = None
    normal_map: Pixels | None = None


@dataclass(frozen=True)
class Depth:
    """How far away lies what a photo shows, as its owner's phone has measured it.

    Parameters
    ----------
    metres : (height, width)
        From the camera's plane; NaN where nobody knows. Of the photo's aspect, and not of its size.
    field_of_view : float or None
        Across the photo's longer side, radians; None where the photo does not say.
    """

    metres: Floats
    field_of_view: float | None

    def known(self, mask: Mask) -> float:
        """The share of an object's pixels whose distance is known.

        Parameters
        ----------
        mask : (height, width)
            Of the photo's size.
        """
        there = np.isfinite(self.metres)
        rows, columns = (
            np.arange(size) * own // size for size, own in zip(mask.shape, there.shape, strict=True)
        )
        return float(there[np.ix_(rows, columns)][mask].mean())


Shape: TypeAlias = Gaussians | TexturedMesh
"""What an engine may make of an object."""


def silent(_stage: str, _done: float) -> None:
    """Tell nobody."""


class Engine(Protocol):
    """A pair of networks: one that prepares masks, one that reconstructs."""

    name: str
    revision: str
    offers: Offer
    """What may be chosen of it beside the defaults; nothing else reaches `reconstruct`.

    `seeds` are offered only by an engine that says poses, and it is asked for one at a time.
    """

    @property
    def phases(self) -> Mapping[str, float]:
        """What `reconstruct` tells of, in that order, each with about its share of the time.

        What else it tells of, as that networks are loaded, is shown without a time that is left.
        """
        ...

    @property
    def side(self) -> int:
        """Pixels a side to which `initialize` stretches a photo: more are of no use to it."""
        ...

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        """Encode an upright RGB photo for the mask decoder, and find what a text names.

        The metadata names the size of the photo as it was given.

        Raises
        ------
        InvalidRequest
            There is a text, and the engine cannot read.
        """
        ...

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Shape, Pose | None]:
        """Turn one object into gaussians or a mesh; the same arguments give the same values.

        The pose is where the object stands before the photo's camera; None from an engine that
        does not find out, as none is better than one that is made up.

        Parameters
        ----------
        photo : PIL.Image.Image
            Upright, RGB.
        mask : (height, width)
            True on the object; of the photo's size, neither empty nor full.
        options : EngineOptions
            Of what the engine offers.
        tell : callable
            Told how far it is.

        Raises
        ------
        ReconstructionFailed, OutOfMemory
        """
        ...

    def works(self) -> bool:
        """Whether its device still computes; asked after a failure that nobody foresaw."""
        ...


@runtime_checkable
class DepthEngine(Protocol):
    """An engine that can also be told how far away things are."""

    def reconstruct_by_depth(
        self, photo: Image.Image, mask: Mask, depth: Depth, options: EngineOptions, tell: Tell
    ) -> tuple[Shape, Pose | None]:
        """As `Engine.reconstruct`; the pose is `metric` where the map told its distance."""
        ...


def takes(engine: Engine) -> tuple[Takes, ...]:
    """What an engine can use beside photo and mask."""
    return ("depth",) if isinstance(engine, DepthEngine) else ()
