"""Tests of the open engine with small networks of random weights; they run in .venvs/torch."""

import pytest

torch = pytest.importorskip("torch", reason="the open engine's tests run in .venvs/torch")

from container.tests.sam.operators import import_torchvision  # noqa: E402

import_torchvision()
torch.set_num_threads(1)
