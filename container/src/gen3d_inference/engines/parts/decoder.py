"""SAM's mask decoder as one network: from a photo's embeddings and a prompt to masks."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

NAMES = ("image_embed", "high_res_0", "high_res_1")
"""The decoder's image inputs, in the order in which image encoders give them."""
PROMPT_INPUTS = ("point_coords", "point_labels", "mask_input", "has_mask_input")
OUTPUTS = ("masks", "iou_scores", "object_score_logits")

_LOGITS = 32.0
"""Meta's predictor keeps the logits of an earlier mask within this before it feeds them back."""


class MaskDecoder(nn.Module):
    """A model's prompt encoder and mask decoder, with every mask token answered.

    Parameters
    ----------
    model : transformers.Sam3TrackerModel or transformers.Sam2Model
        Left as it is.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.prompt_encoder = deepcopy(model.prompt_encoder)
        self.mask_decoder = deepcopy(model.mask_decoder)
        del self.mask_decoder.conv_s0, self.mask_decoder.conv_s1  # the image encoder runs these
        # The library answers token 0 or tokens 1 to 3; only this choice between them sees all.
        self.mask_decoder.dynamic_multimask_via_stability = True
        self.mask_decoder._dynamic_multimask_via_stability = _all_tokens
        self.mask_decoder.config._attn_implementation = "eager"  # what ONNX has operators for
        self.position_embedding = deepcopy(model.shared_image_embedding)
        self.eval().requires_grad_(False)

    @property
    def side(self) -> int:
        """Pixels of the square frame that points are given in."""
        return int(self.prompt_encoder.input_image_size)

    @property
    def grid(self) -> int:
        """Patches a side; masks have four times as many pixels a side."""
        return int(self.prompt_encoder.image_embedding_size[0])

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
        image_embed : (1, 256, g, g) float32
        high_res_0 : (1, 32, 4g, 4g) float32
        high_res_1 : (1, 64, 2g, 2g) float32
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
        sparse, from_mask = self.prompt_encoder(
            input_points=point_coords[:, None],
            input_labels=point_labels[:, None],
            input_boxes=None,
            input_masks=mask_input.clamp(-_LOGITS, _LOGITS),
        )
        without_mask = self.prompt_encoder.no_mask_embed.weight.view(1, -1, 1, 1)
        masks, scores, _, object_score = self.mask_decoder(
            image_embeddings=image_embed,
            image_positional_embeddings=self._positions(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=torch.where(has_mask_input > 0, from_mask, without_mask),
            multimask_output=False,
            high_resolution_features=[high_res_0, high_res_1],
        )
        return masks[:, 0], scores[:, 0], object_score[:, 0]

    def _positions(self) -> Tensor:
        """Embed each patch's centre, (1, 256, g, g): computed, as a file would hold 5 MB of it."""
        centres = (torch.arange(self.grid) + 0.5) / self.grid
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        positions: Tensor = self.position_embedding(torch.stack([x, y], -1))
        return positions.permute(2, 0, 1)[None]


def _all_tokens(masks: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return masks, scores
