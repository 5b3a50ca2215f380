"""Against TripoSplat's own code, where GEN3D_TRIPOSPLAT_SOURCE names its two files' folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from container.tests.open.test_gaussian_decoder import turned
from gen3d_inference.engines.open import upstream
from gen3d_inference.engines.open.flow import Flow, Sizes, denoise
from gen3d_inference.engines.open.gaussian_decoder import draw_points, gaussians_of

SOURCE = os.environ.get("GEN3D_TRIPOSPLAT_SOURCE", "")
pytestmark = pytest.mark.skipif(not SOURCE, reason="needs TripoSplat's code")
SMALL = {
    "q_token_length": 40,
    "in_channels": 16,
    "out_channels": 16,
    "cam_channels": 5,
    "model_channels": 128,
    "cond_channels": 24,
    "cond2_channels": 12,
    "num_refiner_blocks": 2,
    "num_blocks": 3,
    "num_heads": 2,
}


@pytest.fixture(scope="module")
def code() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(upstream.SETTING, SOURCE)
        found = upstream.load()
        yield {
            **found.decoder.decode.__globals__,
            **found.build_gaussians.__globals__,
            "code": found,
        }


def fill(network: torch.nn.Module) -> None:
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            spread = 0.3 if parameter.ndim == 1 else parameter[0].numel() ** -0.5
            centre = 1.0 if "gamma" in name or ("norm" in name and "weight" in name) else 0.0
            noise = torch.randn(parameter.shape, generator=random)
            parameter.copy_(noise * spread + centre)


@torch.inference_mode()
def test_the_denoiser_gives_what_upstream_s_gives(code: dict[str, Any]) -> None:
    arguments = {**code["FLOW_MODEL_ARGS"], **SMALL}
    theirs = code["LatentSeqMMFlowModel"](**arguments).eval()
    fill(theirs)
    ours = Flow.load(theirs.state_dict(), Sizes.of(arguments), torch.float32)
    condition = {"feature1": torch.randn(1, 25, 24), "feature2": torch.randn(1, 25, 12)}
    generator = torch.Generator().manual_seed(1)
    expected = code["sample_latent"](
        theirs, condition, steps=6, guidance_scale=3.0, generator=generator
    )
    generator = torch.Generator().manual_seed(1)
    noise = (
        torch.randn((1, 40, 16), generator=generator),
        torch.randn((1, 1, 5), generator=generator),
    )
    found = denoise(ours, noise, ours.contexts(*condition.values()), 6, 3.0)
    for mine, name in zip(found, ("latent", "camera"), strict=True):
        error = (mine - expected[name]).norm() / expected[name].norm()
        assert error < 1e-5


def test_the_whole_denoiser_s_parameters_are_ours(code: dict[str, Any]) -> None:
    arguments = {**code["FLOW_MODEL_ARGS"], "num_blocks": 1, "q_token_length": 8}
    network = code["LatentSeqMMFlowModel"](**arguments)
    Flow.load(network.state_dict(), Sizes.of(arguments))


@torch.inference_mode()
def test_gaussians_are_those_of_its_writer_but_for_the_turn(code: dict[str, Any]) -> None:
    """Its PLY has -Y up and the front along +X; ours Z up and the front along -Y."""
    sizes = {"model_channels": 64, "num_heads": 2, "num_blocks": 1}
    octree, splatter = (
        {**each, **sizes} for each in (code["OCTREE_DECODER_ARGS"], code["GS_DECODER_ARGS"])
    )
    decoder = code["OctreeGaussianDecoder"](octree, splatter).eval()
    fill(decoder)
    latent = torch.randn(1, 12, 16)
    generator = torch.Generator().manual_seed(0)
    points = draw_points(decoder.octree, latent, 64, generator)
    placed = {"points": points[None]}
    features = decoder.gs(x=placed, cond=latent)
    (theirs,) = code["_build_gaussians"](decoder.gs, placed, features)
    xyz, _, f_dc, opacity, scale, rotation = theirs._get_ply_data(theirs._DEFAULT_TRANSFORM)
    ours = gaussians_of(theirs)
    # Its (x, -z, y) of a native point; ours (y, -x, z) of the same.
    native = np.stack([xyz[:, 0], xyz[:, 2], -xyz[:, 1]], 1)
    np.testing.assert_allclose(
        ours.xyz, np.stack([native[:, 1], -native[:, 0], native[:, 2]], 1), atol=1e-6
    )
    np.testing.assert_allclose(ours.f_dc, f_dc, atol=1e-6)
    np.testing.assert_allclose(ours.scale, scale, atol=1e-5)
    np.testing.assert_allclose(ours.opacity, opacity[:, 0], atol=1e-4)
    to_theirs = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    to_ours = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    for mine, other in zip(ours.rotation[:20], rotation[:20], strict=True):
        expected = to_ours @ to_theirs.T @ turned(np.asarray(other, np.float32))
        np.testing.assert_allclose(turned(mine), expected, atol=1e-5)


@torch.inference_mode()
def test_points_are_drawn_where_upstream_draws_them(code: dict[str, Any]) -> None:
    sizes = {"model_channels": 64, "num_heads": 2, "num_blocks": 1}
    octree = code["OctreeProbabilityFixedlenDecoder"](**{**code["OCTREE_DECODER_ARGS"], **sizes})
    fill(octree)
    latent = torch.randn(1, 12, 16, generator=torch.Generator().manual_seed(3))
    count, level = 4096, 3
    expected: Tensor = type(octree).sample(octree, latent, num_points=count, level=level)["points"]
    found = draw_points(octree, latent, count, torch.Generator().manual_seed(0), level)

    def cells(points: Tensor) -> Any:
        flat = (points.reshape(-1, 3) * 2**level).long() @ torch.tensor([64, 8, 1])
        return torch.bincount(flat, minlength=8**level).numpy()

    # Systematic resampling: each level can move a cell's count by one, and its children's with it.
    assert np.abs(cells(found) - cells(expected)).max() <= 2 * level


def test_the_folder_is_a_checkout() -> None:
    assert {path.name for path in Path(SOURCE).iterdir()} >= {"model.py", "triposplat.py"}
