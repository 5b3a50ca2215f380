"""Tests of the sam engine with small networks of random weights; they run in .venvs/torch."""

import shlex

import pytest

torch = pytest.importorskip("torch", reason="the sam engine's tests run in .venvs/torch")

from torch.utils import cpp_extension  # noqa: E402

from container.tests.sam.operators import import_torchvision  # noqa: E402

import_torchvision()
# torch 2.13 hands this path to its linker unquoted, so that torch.compile fails where torch lies in
# a folder whose name has a space: findings/torch-compile-in-a-folder-with-a-space.sh.
cpp_extension.TORCH_LIB_PATH = shlex.quote(cpp_extension.TORCH_LIB_PATH)
torch.set_num_threads(1)
