"""Image encoder and promptable mask decoder, after Segment Anything's division of labour.

Points lie in [0, 1]² of the (stretched) image. Labels: 1 on the object, 0 beside it, 2 and 3 the
top left and bottom right corner of a box, -1 padding.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import Block, Conv, Position, Residual, doubled, pooled, to_image, to_tokens

CANDIDATES = 3
"""Masks offered: what a single click means is often ambiguous."""

EMBED, HIGH_RES = 64, 32
"""Channels at stride 8 and 4."""


class MaskEncoder(nn.Module):
    """RGB in [0, 1], [B, 3, S, S], to features [B, 64, S/8, S/8] and [B, 32, S/4, S/4].

    S is a multiple of 32: the transformer attends to the image at half of stride 16's size.
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (24, 32, 80, 192), depth: int = 5
    ) -> None:
        super().__init__()
        stem, quarter, eighth, sixteenth = widths
        self.stem = nn.Sequential(Conv(3, stem, 3, 2), Conv(stem, quarter, 3, 2))
        self.quarter = nn.Sequential(Residual(quarter), Residual(quarter))
        self.eighth = nn.Sequential(
            Conv(quarter, eighth, 3, 2), Residual(eighth), Residual(eighth), Residual(eighth)
        )
        self.sixteenth = Conv(eighth, sixteenth, 3, 2)
        self.position = Position(sixteenth)
        self.blocks = nn.ModuleList(Block(sixteenth, 6) for _ in range(depth))
        self.from_sixteenth = Conv(sixteenth, EMBED, 1)
        self.from_eighth = nn.Conv2d(eighth, EMBED, 1)
        self.merge_eighth = Residual(EMBED)
        self.embed = nn.Conv2d(EMBED, EMBED, 1)
        self.from_quarter = nn.Conv2d(quarter, HIGH_RES, 1)
        self.up = nn.Conv2d(EMBED, HIGH_RES, 1)
        self.high_res = nn.Sequential(Residual(HIGH_RES), nn.Conv2d(HIGH_RES, HIGH_RES, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Encode."""
        quarter = self.quarter(self.stem((image - 0.45) * 4))
        eighth = self.eighth(quarter)
        x = self.sixteenth(eighth)
        height, width = x.shape[-2:]
        tokens = to_tokens(x, self.position)
        for block in self.blocks:
            tokens = block(tokens, lambda tokens: pooled(tokens, height, width))
        x = self.from_sixteenth(to_image(tokens, height, width).to(eighth.dtype))
        x = self.merge_eighth(self.from_eighth(eighth) + doubled(x))
        fine = functional.silu(self.from_quarter(quarter) + doubled(self.up(x)))
        return self.embed(x), self.high_res(fine)


class Features(NamedTuple):
    """What can be known of an image without a click, computed once: `MaskDecoder` adds the prompts.

    Attributes
    ----------
    image_embed
        Features, [B, 64, h, w].
    high_res_0, high_res_1, high_res_2
        The encoder's features as the decoder's first convolutions see them, at stride 4, 8 and 16:
        [B, 32, 2h, 2w], [B, 64, h, w] and [B, 128, h/2, w/2].
    """

    image_embed: Tensor
    high_res_0: Tensor
    high_res_1: Tensor
    high_res_2: Tensor


@dataclass(frozen=True)
class DecoderSize:
    """What a decoder's arithmetic depends on.

    Attributes
    ----------
    depth
        Transformer blocks.
    expansion
        Of the width, within their perceptrons.
    coarse, middle, fine
        Channels at stride 8, between the two convolutions there, and at stride 4.
    """

    depth: int = 3
    expansion: int = 3
    coarse: int = 64
    middle: int = 64
    fine: int = 32


LIGHT = DecoderSize(depth=2, middle=32, fine=16)
"""Half of the arithmetic of the decoder that it learns from; its masks are worse: not taken."""


class MaskDecoder(nn.Module):
    """Features, points and the last mask to candidate masks and how good each is."""

    def __init__(self, size: DecoderSize = DecoderSize(), width: int = 128) -> None:
        super().__init__()
        coarse, fine = size.coarse, size.fine
        prompts = 7  # click maps (4), box, last mask, similarity to the clicked feature
        self.reduce = nn.Conv2d(EMBED, width, 3, 2, 1)
        self.reduce_prompts = nn.Conv2d(prompts, width, 3, 2, 1, bias=False)
        self.position = Position(width)
        self.point = nn.Linear(EMBED, width)
        self.label = nn.Embedding(5, width)  # background, object, two corners, padding
        self.query = nn.Parameter(torch.randn(1, 2, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, 2, size.expansion) for _ in range(size.depth))
        self.key = nn.Conv2d(EMBED, 32, 1)
        self.from_tokens = nn.Linear(width, coarse)
        self.join_coarse = nn.Conv2d(EMBED, coarse, 3, 1, 1)
        self.coarse_prompts = nn.Conv2d(prompts, coarse, 3, 1, 1, bias=False)
        self.coarse = Residual(coarse, size.middle)
        self.up = nn.Conv2d(coarse, fine, 1)
        self.join_fine = nn.Conv2d(HIGH_RES, fine, 3, 1, 1)
        self.fine_prompts = nn.Conv2d(prompts - 1, fine, 3, 1, 1, bias=False)
        self.fine = Residual(fine)
        self.out = nn.Conv2d(fine, CANDIDATES * 4, 3, 1, 1)
        self.score = nn.Sequential(
            nn.Linear(2 * coarse + width + 2 + CANDIDATES, width), nn.SiLU(), nn.Linear(width, 1)
        )

    def prepare(self, embed: Tensor, high_res: Tensor) -> Features:
        """Take the encoder's features [B, 64, h, w] and [B, 32, 2h, 2w] as far as can be."""
        return Features(
            embed, self.join_fine(high_res), self.join_coarse(embed), self.reduce(embed)
        )

    def forward(
        self, features: Features, points: Tensor, labels: Tensor, mask: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Decode.

        Parameters
        ----------
        features
            Of the image.
        points, labels
            f32 [B, N, 2] in [0, 1]² and [B, N].
        mask
            Logits of the mask to refine, f32 [B, 1, 2h, 2w].
        has_mask
            1 where there is one, else 0, f32 [B].

        Returns
        -------
        masks
            Logits [B, 3, 4h, 4w].
        scores
            Expected IoU [B, 3].
        """
        embed = features.image_embed
        height, width = embed.shape[-2:]
        dtype = embed.dtype
        known = has_mask.view(-1, 1, 1, 1)
        last = (torch.sigmoid(mask) * 2 - 1) * known
        sampling = _bilinear(points, height, width).to(dtype)
        clicked = sampling @ embed.flatten(2).transpose(1, 2)
        coarse_prompts = torch.cat(
            [
                _prompt_maps(points, labels, height, width).to(dtype),
                functional.avg_pool2d(last, 2).to(dtype),
                self._similarity(embed, sampling, labels),
            ],
            1,
        )
        fine_prompts = torch.cat(
            [_prompt_maps(points, labels, 2 * height, 2 * width).to(dtype), last.to(dtype)], 1
        )
        reduced = features.high_res_2 + self.reduce_prompts(coarse_prompts)
        queries, tokens = self._attend(reduced, clicked, points, labels)
        x = to_image(self.from_tokens(tokens), *reduced.shape[-2:]).to(dtype)
        joined = features.high_res_1 + self.coarse_prompts(coarse_prompts)
        coarse = self.coarse(functional.silu(joined + doubled(x)))
        fine = features.high_res_0 + self.fine_prompts(fine_prompts)
        quarters = self.out(self.fine(functional.silu(fine + doubled(self.up(coarse)))))
        scores = self._scores(quarters, coarse, queries)
        return functional.pixel_shuffle(quarters, 2), scores

    def _similarity(self, embed: Tensor, sampling: Tensor, labels: Tensor) -> Tensor:
        """Cosine of each pixel's key to the nearest foreground click's, [B, 1, h, w]."""
        key = functional.normalize(self.key(embed).flatten(2).float(), dim=1)
        clicked = functional.normalize(sampling.float() @ key.transpose(1, 2), dim=-1)
        on = (labels == 1).float()[..., None]
        similarity = ((clicked @ key) * on - (1 - on)).amax(1)
        return similarity.reshape(len(embed), 1, *embed.shape[-2:]).to(embed.dtype)

    def _attend(
        self, reduced: Tensor, clicked: Tensor, points: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Joint attention of queries, points and image; the image is attended to at half size."""
        dtype = reduced.dtype
        image = to_tokens(reduced, self.position)
        real = (labels >= 0).to(dtype)[..., None]
        point = (self.point(clicked) + self.position(points).to(dtype)) * real
        point = point + self.label(torch.where(labels < 0, 4, labels).long()).to(dtype)
        queries = self.query.expand(len(reduced), -1, -1).to(dtype)
        tokens = torch.cat([queries, point.to(dtype), image], 1)
        prompts, (height, width) = tokens.shape[1] - image.shape[1], reduced.shape[-2:]
        for block in self.blocks:
            tokens = block(tokens, lambda tokens: pooled(tokens, height, width, prompts))
        return tokens[:, : queries.shape[1]], tokens[:, prompts:]

    def _scores(self, quarters: Tensor, coarse: Tensor, queries: Tensor) -> Tensor:
        """Judge each mask by the features inside it and along its edge ("mask scoring")."""
        batch, _, height, width = quarters.shape
        logits = quarters.reshape(batch, CANDIDATES, 4, height, width).mean(2)
        inside = functional.avg_pool2d(torch.sigmoid(logits.detach().float()), 2).flatten(2)
        edge = inside * (1 - inside)
        features = coarse.flatten(2).transpose(1, 2).float()
        area, doubt = inside.mean(-1, keepdim=True), edge.mean(-1, keepdim=True)
        judged = torch.cat(
            [
                (inside @ features) / (inside.sum(-1, keepdim=True) + 1e-3),
                (edge @ features) / (edge.sum(-1, keepdim=True) + 1e-3),
                queries.mean(1, keepdim=True).float().expand(-1, CANDIDATES, -1),
                area.sqrt(),
                doubt / (area + 1e-4),
                torch.eye(CANDIDATES, device=quarters.device).expand(batch, -1, -1),
            ],
            -1,
        )
        return torch.sigmoid(self.score(judged)[..., 0])


class MaskNetworks(nn.Module):
    """Encoder and decoder as one module, to train and save them together.

    RGB in [0, 1], [B, 3, S, S], to `Features`; `decoder` is called on these.
    """

    def __init__(self, encoder_depth: int = 5, decoder: DecoderSize = DecoderSize()) -> None:
        super().__init__()
        self.encoder = MaskEncoder(depth=encoder_depth)
        self.decoder = MaskDecoder(decoder)

    def forward(self, image: Tensor) -> Features:
        """Encode."""
        return self.decoder.prepare(*self.encoder(image))


def _bilinear(points: Tensor, height: int, width: int) -> Tensor:
    """Weights that sample an h × w image at points [B, N, 2]: [B, N, h · w]."""
    x = points[..., 0:1] * width - 0.5
    y = points[..., 1:2] * height - 0.5
    across = functional.relu(1 - (x - torch.arange(width, device=x.device)).abs())
    down = functional.relu(1 - (y - torch.arange(height, device=x.device)).abs())
    return (down[..., :, None] * across[..., None, :]).flatten(2)


def _prompt_maps(points: Tensor, labels: Tensor, height: int, width: int) -> Tensor:
    """Narrow and wide bumps at clicks on and beside the object, and the box: [B, 5, h, w].

    Each is a column's value times a row's: an exponential a row, not one a pixel.
    """
    across, down = (
        (torch.arange(size, device=points.device, dtype=points.dtype) + 0.5) / size
        for size in (width, height)
    )
    maps = []
    for sigma in (0.012, 0.07):
        x = torch.exp((across - points[..., 0:1]).square() / (-2 * sigma**2))
        y = torch.exp((down - points[..., 1:2]).square() / (-2 * sigma**2))
        for label in (1, 0):
            given = (labels == label).to(points.dtype)[..., None]
            maps.append(((y * given)[..., :, None] * x[..., None, :]).amax(1))
    low, high = (
        (points * (labels == label).to(points.dtype)[..., None]).sum(1) for label in (2, 3)
    )
    x, y = (
        torch.sigmoid((steps - low[:, i : i + 1]) / 0.006)
        * torch.sigmoid((high[:, i : i + 1] - steps) / 0.006)
        for i, steps in enumerate((across, down))
    )
    maps.append(y[:, :, None] * x[:, None, :])
    return torch.stack(maps, 1)
