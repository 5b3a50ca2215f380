"""SAM's mask decoder as one network: from a photo's embeddings and a prompt to masks.

Made for one photo, few points and a processor. The image's tokens are hundreds of times as many as
the prompt's, and most of the library's arithmetic projects them to queries, keys and values. They
are needed only in products with the prompt's few tokens, so that here it is these that are
projected: ``(q W) kᵀ`` in the place of ``q (k Wᵀ)ᵀ``. The upscaling keeps channels last and pixels
in the order of `as_tokens`, in which a transposed convolution whose stride is its kernel is a
product of matrices. Both say the same, to rounding. Its GELU is the approximation by tanh: in
WebAssembly that takes a third of the time.
"""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

NAMES = ("image_embed", "high_res_0", "high_res_1")
"""The decoder's image inputs, in the order in which image encoders give them."""
PROMPT_INPUTS = ("point_coords", "point_labels", "mask_input", "has_mask_input")
OUTPUTS = ("masks", "iou_scores", "object_score_logits")

_LOGITS = 32.0
"""Meta's predictor keeps the logits of an earlier mask within this before it feeds them back."""


def as_tokens(image: Tensor, grid: int) -> Tensor:
    """Lay an image out as the decoder takes it: patch by patch, and in a patch quarter by quarter.

    Parameters
    ----------
    image : (1, c, k · grid, k · grid)
        k is 1, 2 or 4.

    Returns
    -------
    (1, grid² · k², c)
        Row by row of patches; within each its quarters, row by row, and within each of these
        theirs.
    """
    channels, halvings = int(image.shape[1]), int(image.shape[2] // grid).bit_length() - 1
    sides = [grid, *[2] * halvings]
    levels = len(sides)
    split = image.reshape(channels, *sides, *sides)
    order = [axis for level in range(levels) for axis in (1 + level, 1 + levels + level)]
    return split.permute(*order, 0).reshape(1, -1, channels)


def _as_image(tokens: Tensor, grid: int) -> Tensor:
    """From (1, grid² · 16, c) in the order of `as_tokens` to (1, c, 4 grid, 4 grid)."""
    split = tokens.reshape(grid, grid, 2, 2, 2, 2, -1)
    return split.permute(6, 0, 2, 4, 1, 3, 5).reshape(1, -1, 4 * grid, 4 * grid)


class MaskDecoder(nn.Module):
    """A model's prompt encoder and mask decoder, with every mask token answered.

    Parameters
    ----------
    model : transformers.Sam3TrackerModel or transformers.Sam2Model
        Left as it is.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        prompts, masks = deepcopy(model.prompt_encoder), deepcopy(model.mask_decoder)
        masks.config._attn_implementation = "eager"  # what ONNX has operators for
        self.point_encoder = prompts
        self.mask_embedding = _MaskEmbedding(prompts.mask_embed)
        del prompts.mask_embed
        first = (masks.obj_score_token, masks.iou_token, masks.mask_tokens)
        self.output_tokens = nn.Parameter(torch.cat([token.weight for token in first]))
        self.layers = nn.ModuleList(_Layer(layer) for layer in masks.transformer.layers)
        self.last = _Gather(masks.transformer.final_attn_token_to_image)
        self.last_norm = masks.transformer.layer_norm_final_attn
        self.upscaling = _Upscaling(masks)
        self.hyper = masks.output_hypernetworks_mlps
        self.score = masks.iou_prediction_head
        self.object_score = masks.pred_obj_score_head
        self.position_embedding = deepcopy(model.shared_image_embedding)
        self.eval().requires_grad_(False)

    @property
    def side(self) -> int:
        """Pixels of the square frame that points are given in."""
        return int(self.point_encoder.input_image_size)

    @property
    def grid(self) -> int:
        """Patches a side; masks have four times as many pixels a side."""
        return int(self.point_encoder.image_embedding_size[0])

    @property
    def width(self) -> int:
        """Channels of a token."""
        return int(self.output_tokens.shape[1])

    def forward(
        self,
        image_embed: Tensor,
        high_res_0: Tensor,
        high_res_1: Tensor,
        point_coords: Tensor,
        point_labels: Tensor,
        mask_input: Tensor,
        has_mask_input: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode one prompt; g below are the patches a side, n the points.

        Parameters
        ----------
        image_embed : (1, g², 256) float32
            In the order of `as_tokens`, like the next two.
        high_res_0 : (1, 16 g², 32) float32
        high_res_1 : (1, 4 g², 64) float32
        point_coords : (1, n, 2) float32
            x, y in pixels of the frame.
        point_labels : (1, n) int32
            1 on the object, 0 off it; 2 and 3 a box's top left and bottom right.
        mask_input : (1, 1, 4g, 4g) float32
            Logits of an earlier answer.
        has_mask_input : (1) float32
            1 where there is one; else 0, and `mask_input` does not matter.

        Returns
        -------
        masks : (1, 4, 4g, 4g) float32
            Logits. Token 0 is for a prompt that leaves one answer, tokens 1 to 3 for one click.
        iou_scores : (1, 4) float32
            The network's guess of each mask's IoU with the object, from 0 to 1.
        object_score_logits : (1, 1) float32
            Above 0 where it sees an object at all.
        """
        # Without boxes of its own, the prompt encoder adds the point that says "no more points".
        points, _ = self.point_encoder(point_coords[:, None], point_labels[:, None], None, None)
        prompt = torch.cat([self.output_tokens[None], points[:, 0]], 1)
        logits = mask_input.clamp(-_LOGITS, _LOGITS)
        without = self.point_encoder.no_mask_embed.weight
        image = image_embed + self.mask_embedding(
            as_tokens(logits, self.grid), has_mask_input, without
        )
        positions = self._positions()
        tokens = prompt
        for layer in self.layers:
            tokens, image = layer(tokens, image, prompt, positions)
        tokens = self.last_norm(tokens + self.last(tokens + prompt, image + positions, image))

        hyper = torch.cat([mlp(tokens[:, 2 + n : 3 + n]) for n, mlp in enumerate(self.hyper)], 1)
        fine = self.upscaling(image, high_res_0, high_res_1)
        masks = _as_image(fine @ hyper.transpose(1, 2), self.grid)
        return masks, self.score(tokens[:, 1]), self.object_score(tokens[:, 0])

    def _positions(self) -> Tensor:
        """Embed each patch's centre, (1, g², 256): computed, as a file would hold 5 MB of it."""
        centres = (torch.arange(self.grid) + 0.5) / self.grid
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        positions: Tensor = self.position_embedding(torch.stack([x, y], -1))
        return positions.flatten(0, 1)[None]


class _MaskEmbedding(nn.Module):
    """The library's three convolutions over an earlier mask, which overlap nowhere."""

    def __init__(self, embedding: Any) -> None:
        super().__init__()
        self.first = _linear(embedding.conv1, (0, 2, 3, 1))
        self.second = _linear(embedding.conv2, (0, 2, 3, 1))
        self.third = _linear(embedding.conv3, (0, 2, 3, 1))
        self.norms = nn.ModuleList(map(_norm, (embedding.layer_norm1, embedding.layer_norm2)))
        self.activation = embedding.activation

    def forward(self, logits: Tensor, given: Tensor, without: Tensor) -> Tensor:
        """From (1, 16 g², 1) to (1, g², 256); where no mask is given, `without` (1, 256)."""
        x = self.activation(self.norms[0](self.first(logits.reshape(1, -1, 4))))
        x = self.activation(self.norms[1](self.second(x.reshape(1, -1, 4 * x.shape[-1]))))
        bias = self.third.bias * given + without * (1 - given)
        return (x * given) @ self.third.weight.transpose(0, 1) + bias


class _Layer(nn.Module):
    """A layer of the two-way transformer."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.own = layer.self_attn
        self.gather = _Gather(layer.cross_attn_token_to_image)
        self.mlp = layer.mlp
        self.spread = _Spread(layer.cross_attn_image_to_token)
        self.norms = nn.ModuleList(
            [layer.layer_norm1, layer.layer_norm2, layer.layer_norm3, layer.layer_norm4]
        )
        self.first = bool(layer.skip_first_layer_pe)

    def forward(
        self, tokens: Tensor, image: Tensor, prompt: Tensor, positions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens (1, n, 256), image (1, g², 256), and what each is told of its place by."""
        asks = (tokens if self.first else tokens + prompt)[:, None]
        heard, _ = self.own(asks, asks, tokens[:, None])
        tokens = self.norms[0](heard[:, 0] if self.first else tokens + heard[:, 0])
        placed = image + positions
        tokens = self.norms[1](tokens + self.gather(tokens + prompt, placed, image))
        tokens = self.norms[2](tokens + self.mlp(tokens))
        return tokens, self.norms[3](image + self.spread(placed, tokens + prompt, tokens))


class _Attention(nn.Module):
    """What both directions have: weights by head, (heads, channels of a head, 256)."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.heads = int(attention.num_attention_heads)
        self.scaling = float(attention.scaling)
        self.query, self.key = attention.q_proj, attention.k_proj
        self.value, self.out = attention.v_proj, attention.o_proj

    def by_head(self, tokens: Tensor) -> Tensor:
        """(1, n, heads · c) to (heads, n, c)."""
        return tokens.reshape(tokens.shape[1], self.heads, -1).transpose(0, 1)

    def weight(self, of: nn.Linear) -> Tensor:
        """(heads, c, 256)."""
        return of.weight.reshape(self.heads, -1, of.weight.shape[1])


class _Gather(_Attention):
    """Few tokens attend to the image."""

    def forward(self, tokens: Tensor, placed: Tensor, image: Tensor) -> Tensor:
        """From (1, n, 256), of the image (1, g², 256) twice, to (1, n, 256).

        The keys' bias adds the same to all of a query's products, which softmax does not see.
        """
        asks = self.by_head(self.query(tokens) * self.scaling) @ self.weight(self.key)
        rows = asks.reshape(1, -1, asks.shape[-1])
        found = (rows @ placed.transpose(1, 2)).softmax(-1) @ image
        values = found.reshape(asks.shape) @ self.weight(self.value).transpose(1, 2)
        joined = values.transpose(0, 1).reshape(1, -1, self.value.bias.shape[0])
        answer: Tensor = self.out(joined + self.value.bias)
        return answer


class _Spread(_Attention):
    """The image attends to few tokens."""

    def forward(self, placed: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """From the image (1, g², 256), of tokens (1, n, 256) twice, to (1, g², 256)."""
        heads, count = self.heads, keys.shape[1]
        keyed = self.by_head(self.key(keys) * self.scaling)
        bias = (keyed @ self.query.bias.reshape(heads, -1, 1)).reshape(1, 1, -1)
        asked = (keyed @ self.weight(self.query)).reshape(1, -1, placed.shape[2])
        shares = (placed @ asked.transpose(1, 2) + bias).reshape(1, -1, heads, count).softmax(-1)
        out = self.out.weight.transpose(0, 1).reshape(heads, -1, placed.shape[2])
        told = (self.by_head(self.value(values)) @ out).reshape(1, -1, placed.shape[2])
        return shares.reshape(1, -1, heads * count) @ told + self.out.bias


class _Upscaling(nn.Module):
    """From a patch's token to its sixteen pixels'."""

    def __init__(self, masks: Any) -> None:
        super().__init__()
        self.first = _linear(masks.upscale_conv1, (2, 3, 1, 0))
        self.second = _linear(masks.upscale_conv2, (2, 3, 1, 0))
        self.norm = _norm(masks.upscale_layer_norm)

    def forward(self, image: Tensor, high_res_0: Tensor, high_res_1: Tensor) -> Tensor:
        """From (1, g², 256) to (1, 16 g², 32)."""
        # Added before it is taken apart: onnxruntime has one operator for a sum and its norm, whose
        # kernel is slower than the two.
        x = self.first(image)
        x = (x + high_res_1.reshape(x.shape)).reshape(high_res_1.shape)
        x = self.second(_gelu(self.norm(x)))
        return _gelu(x.reshape(high_res_0.shape) + high_res_0)


def _gelu(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


def _linear(convolution: Any, order: tuple[int, int, int, int]) -> nn.Linear:
    """A convolution whose stride is its kernel, over pixels in the order of `as_tokens`.

    Parameters
    ----------
    convolution : nn.Conv2d or nn.ConvTranspose2d
    order : tuple of int
        Axes of its weight: those of an output, then those of an input.
    """
    weight = convolution.weight.permute(order)
    outputs = weight.shape[0] if isinstance(convolution, nn.Conv2d) else weight[..., 0].numel()
    linear = nn.Linear(weight.numel() // outputs, outputs)
    linear.weight = nn.Parameter(weight.reshape(outputs, -1).contiguous())
    linear.bias = nn.Parameter(convolution.bias.repeat(outputs // len(convolution.bias)))
    return linear


def _norm(norm: Any) -> nn.LayerNorm:
    """The library's norm of channels that come first, for channels that come last."""
    plain = nn.LayerNorm(norm.normalized_shape, eps=norm.eps)
    plain.weight, plain.bias = norm.weight, norm.bias
    return plain
