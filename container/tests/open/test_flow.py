"""The denoiser: that what it leaves out changes nothing, and its schedule."""

import itertools
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from container.tests.open.tiny import SIZES, flow_parameters
from gen3d_inference.engines.open.attention import counted, fastest, plain
from gen3d_inference.engines.open.flow import Context, Flow, denoise, renamed, times


@pytest.fixture(scope="module")
def parameters() -> Mapping[str, Tensor]:
    return flow_parameters(SIZES)


@pytest.fixture(scope="module")
def flow(parameters: Mapping[str, Tensor]) -> Flow:
    return Flow.load(parameters, SIZES, torch.float32)


def condition(tokens: int = 21, seed: int = 1) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    shapes = ((1, tokens, SIZES.cond_channels), (1, tokens, SIZES.cond2_channels))
    first, second = (torch.randn(shape, generator=random) for shape in shapes)
    return first, second


def noise(seed: int = 2) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    shapes = ((1, SIZES.q_token_length, SIZES.in_channels), (1, 1, SIZES.cam_channels))
    latent, camera = (torch.randn(shape, generator=random) for shape in shapes)
    return latent, camera


@pytest.mark.parametrize("copies", [2, 9, 4101])
def test_a_key_that_counts_for_many_is_as_if_it_were_there_so_often(copies: int) -> None:
    random = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn((1, 2, 7, 8), generator=random) for _ in range(3))
    index = 3
    often = torch.tensor([*range(index), *[index] * copies, *range(index + 1, 7)])
    expected, _ = plain(q, k[:, :, often], v[:, :, often])
    found = counted(plain(q, k, v), q, k, v, index, copies)
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=2e-4)


@torch.inference_mode()
def test_without_a_photo_one_token_stands_for_all(flow: Flow) -> None:
    """What upstream does: as many tokens of zeros as the photo's has."""
    first, second = condition()
    _, without = flow.contexts(first, second)
    assert without.tokens.shape[1] == 1
    assert without.copies == first.shape[1]
    all_of_them = flow.contexts(torch.zeros_like(first), torch.zeros_like(second))[0]
    assert all_of_them.copies == 1
    ours, theirs = flow(*noise(), 0.7, (without, all_of_them))
    for found, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, right, atol=2e-5, rtol=2e-5)
    once = flow(*noise(), 0.7, [Context(without.tokens)])[0]
    assert (once[0] - theirs[0]).abs().max() > 1e-3, "how often it counts has to matter"


@torch.inference_mode()
def test_the_condition_and_the_time_matter(flow: Flow) -> None:
    found = [
        flow(*noise(), time, flow.contexts(*condition(seed=seed)))[0][0]
        for time, seed in ((0.5, 1), (0.5, 3), (0.9, 1))
    ]
    for one, other in itertools.combinations(found, 2):
        assert (one - other).abs().max() > 1e-3


@torch.inference_mode()
def test_guidance_of_one_is_the_condition_s_own_answer(flow: Flow) -> None:
    contexts = flow.contexts(*condition())
    latent, _ = denoise(flow, noise(), contexts, steps=1, guidance=1.0)
    velocity = flow(*noise(), 1.0, contexts)[0][0]
    torch.testing.assert_close(latent, noise()[0] - velocity)


@torch.inference_mode()
def test_each_step_is_told(flow: Flow) -> None:
    told: list[float] = []
    denoise(flow, noise(), flow.contexts(*condition()), 4, 3.0, told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_steps_go_from_noise_to_nothing_and_dwell_on_noise() -> None:
    between = times(20)
    assert between[0] == 1
    assert between[-1] == 0
    assert len(between) == 21
    lengths = [early - late for early, late in itertools.pairwise(between)]
    assert lengths == sorted(lengths)
    assert sum(time > 0.5 for time in between) > 14
    assert times(4, shift=1.0) == [1, 0.75, 0.5, 0.25, 0]


def test_a_checkpoint_s_rotations_become_their_layers() -> None:
    assert renamed("repo_layers.3.freqs_1") == "blocks.3.rotation.freqs_1"
    assert renamed("noise_repo_layers.0.norm.bias") == "noise_refiner.0.rotation.norm.bias"
    assert renamed("context_repo_layers.1.gate_map.weight").startswith("context_refiner.1.rotation")
    assert renamed("blocks.0.attn.qkv.weight") == "blocks.0.attn.qkv.weight"


@pytest.mark.parametrize("wrong", ["missing", "another's", "shape"])
def test_other_parameters_are_refused(parameters: Mapping[str, Tensor], wrong: str) -> None:
    given = dict(parameters)
    first = next(iter(given))
    if wrong == "missing":
        del given[first]
    elif wrong == "another's":
        given["blocks.9.attn.out.bias"] = torch.zeros(3)
    else:
        given[first] = given[first][..., :1]
    with pytest.raises(RuntimeError):
        Flow.load(given, SIZES)


def test_a_processor_attends_by_the_definition() -> None:
    assert fastest(torch.device("cpu"), torch.float32, 2, 8, 16) is plain
