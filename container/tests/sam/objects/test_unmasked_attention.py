"""Attention without a mask of all pairs."""

import pytest
import torch
from torch import Tensor

from gen3d_inference.engines.sam.objects import unmasked_attention

ONE = ([30], [30])
OF_OTHER_LENGTH = ([30], [17])
MANY = ([4, 1, 9, 3], [4, 1, 9, 3])
MANY_OF_OTHER_LENGTH = ([4, 1, 9], [2, 8, 1])


def _given(q_lengths: list[int], k_lengths: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    q, k, v = (
        torch.randn(1, sum(lengths), 2, 8, generator=random)
        for lengths in (q_lengths, k_lengths, k_lengths)
    )
    return q, k, v


@pytest.mark.parametrize("lengths", [ONE, OF_OTHER_LENGTH, MANY, MANY_OF_OTHER_LENGTH])
def test_each_sequence_attends_to_itself(lengths: tuple[list[int], list[int]]) -> None:
    q, k, v = _given(*lengths)
    out = unmasked_attention.attend(q, k, v, *lengths)
    parts = zip(q[0].split(lengths[0]), k[0].split(lengths[1]), v[0].split(lengths[1]), strict=True)
    alone = []
    for a, b, c in parts:
        weights = torch.einsum("ihc,jhc->hij", a, b).div(8**0.5).softmax(-1)
        alone.append(torch.einsum("hij,jhc->ihc", weights, c))
    torch.testing.assert_close(out, torch.cat(alone))


def test_one_sequence_has_no_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[Tensor | None] = []
    real = torch.nn.functional.scaled_dot_product_attention

    def watched(*args: Tensor, attn_mask: Tensor | None) -> Tensor:
        masks.append(attn_mask)
        return real(*args, attn_mask=attn_mask)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    unmasked_attention.attend(*_given(*ONE), *ONE)
    unmasked_attention.attend(*_given(*MANY), *MANY)
    assert [None if mask is None else mask.shape for mask in masks] == [None, (4, 1, 1, 9)]
