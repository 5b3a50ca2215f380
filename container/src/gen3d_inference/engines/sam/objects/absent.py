"""Packages that upstream imports and gaussian decoding never calls.

They mesh, rasterise, bake and train, and are the hardest to install: some are compiled against one
CUDA and one torch. Where one is missing, an empty module takes its name. Names can be read from it,
so that upstream's imports and annotations pass; calling one raises. Where a trainer's checkpoint
holds objects of such classes beside the weights, they are read as empty ones.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

UNUSED = (
    "gsplat",  # renders gaussians
    "igraph",  # fills holes in meshes
    "kaolin",  # checks the mesh decoder's arguments
    "lightning",  # is asked whether a network is a trainer's
    "open3d",  # aligns the object with the photo's points, when asked to
    "plyfile",  # writes gaussians to a file, which `ply_writer` does here; GPL
    "pymeshfix",  # fills holes in meshes
    "pytorch_lightning",  # lightning's name in older checkpoints
    "pytorch3d._C",  # rasterises; its transforms are plain Python
    "pyvista",  # simplifies meshes
    "xatlas",  # unwraps meshes
)


class _Husk:
    """What is left of an absent package's object when a checkpoint is read."""

    def __new__(cls, *_: object) -> "_Husk":
        return super().__new__(cls)

    def _forget(self, *_: object) -> None:
        """Take a pickled object's state or items, and keep none."""

    __setstate__ = __setitem__ = append = extend = _forget


class _Placeholder(type):
    """A class of any name, with nested classes of any name, that cannot be made."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{cls.__module__}.{cls.__qualname__}", name)

    def __call__(cls, *_: object, **__: object) -> NoReturn:
        raise NotImplementedError(
            f"{cls.__module__}.{cls.__qualname__} is not installed: only gaussians are decoded."
        )


def _placeholder(module: str, name: str) -> _Placeholder:
    return _Placeholder(name, (_Husk,), {"__module__": module})


class _Absent(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(self.__name__, name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last, so that an installed package is found before."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not any(name == unused or name.startswith(f"{unused}.") for unused in UNUSED):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


def install() -> None:
    """Let the packages in `UNUSED` be imported in this process, installed or not."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
