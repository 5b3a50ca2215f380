"""Tests of the sam engine with small networks of random weights; they run in .venvs/torch."""

import pytest

torch = pytest.importorskip("torch", reason="the sam engine's tests run in .venvs/torch")

from tests.sam.operators import import_torchvision  # noqa: E402

import_torchvision()
torch.set_num_threads(1)
