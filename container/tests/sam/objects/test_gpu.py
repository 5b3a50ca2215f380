"""What only a GPU can show: memory that runs out, and comes back."""

from pathlib import Path

import pytest
import torch

from container.tests.sam.objects.fake_pipeline import PHASES, FakePipeline
from container.tests.sam.objects.test_reconstruction import MASK, PHOTO
from gen3d.errors import OutOfMemory
from gen3d.options import EngineOptions
from gen3d_inference.engines.sam.objects import ObjectReconstruction

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.parametrize("offload", ["always", "never"])
def test_memory_that_ran_out_is_free_for_the_next_job(
    offload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEN3D_OFFLOAD", offload)
    pipeline = FakePipeline()
    for network in (
        *pipeline.models.values(),
        *pipeline.condition_embedders.values(),
        pipeline.depth_model.model,
    ):
        if network is not None and offload == "never":
            network.cuda()
    reconstruction = ObjectReconstruction(Path(), load=lambda *_: pipeline)
    _ = torch.eye(8, device="cuda") @ torch.eye(8, device="cuda")  # cuBLAS takes its workspace
    before = torch.cuda.memory_allocated()
    decoder = pipeline.models["slat_decoder_gs"]

    def hungry(*_: object) -> None:
        held = []
        while True:
            held.append(torch.empty(10**9, device="cuda"))

    hook = decoder.register_forward_hook(hungry)
    with pytest.raises(OutOfMemory):
        reconstruction.run(PHOTO, MASK, EngineOptions())
    assert torch.cuda.memory_allocated() <= before
    assert torch.cuda.memory_reserved() < 10**9
    hook.remove()
    reconstruction.run(PHOTO, MASK, EngineOptions())
    assert tuple(reconstruction.timings) == PHASES
