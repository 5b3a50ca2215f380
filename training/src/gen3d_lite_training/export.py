"""Trained networks to ONNX files as the container and the browser read them.

Weights are stored as float16 and cast when a session loads: half the size, and on the networks'
answers the difference is below what a pixel shows.
"""

import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from gen3d_inference.engines.lite.frames import CROP_SIDE, ENCODER_SIDE
from gen3d_inference.engines.parts.browser_graph import for_browsers
from gen3d_inference.engines.parts.float16_weights import store_float16

from .networks import Features, MaskDecoder, MaskNetworks, Reconstruction
from .prompts import PADDING

_OPSET = 17
_SMALL = 64
"""Values up to which a constant stays as it is: biases and norms."""
_PADDED = 3
"""Padding points added to every prompt: in training there always were some."""
_WHOLE = 0.06
"""How much of expected IoU a candidate e times as large makes up for; measured in photos."""


def prefer_whole(scores: Tensor, masks: Tensor, labels: Tensor) -> Tensor:
    """Rank candidates as people mean them: the whole thing sooner than a part of it.

    Training draws its targets at random and knows no such preference. It ends where the last click
    takes something away, or there is but a box.

    Parameters
    ----------
    scores
        Expected IoU, f32 [B, 3].
    masks
        Logits of the candidates, f32 [B, 3, h, w].
    labels
        Of the points, in their order, f32 [B, n]: 1 on the object, 0 beside it.

    Returns
    -------
    Tensor
        Scores in the order of preference, f32 [B, 3]; the first keeps its expected IoU.
    """
    order = torch.ones_like(labels).cumsum(1)
    adding = ((labels == 1) * order).amax(1) > ((labels == 0) * order).amax(1)
    bonus = _WHOLE * torch.log((masks > 0).float().mean((2, 3)) + 1e-4)
    first = (scores + bonus).argmax(1, keepdim=True)
    ranked = (scores + bonus - bonus.gather(1, first)).clamp(min=0)
    return torch.where(adding[:, None], ranked, scores)


class ExportedDecoder(nn.Module):
    """The decoder in the page's terms: points in pixels of the model's frame.

    After a click on the object larger candidates are preferred, see `prefer_whole`.

    Parameters
    ----------
    decoder
        The trained decoder.
    side
        Pixels of the frame's side.
    """

    def __init__(self, decoder: MaskDecoder, side: int = ENCODER_SIDE) -> None:
        super().__init__()
        self.decoder = decoder
        self.side = side

    def forward(
        self,
        image_embed: Tensor,
        high_res_0: Tensor,
        high_res_1: Tensor,
        high_res_2: Tensor,
        point_coords: Tensor,
        point_labels: Tensor,
        mask_input: Tensor,
        has_mask_input: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Decode one image's prompt; `export_masks` names the shapes."""
        nowhere = torch.zeros(1, _PADDED, 2)
        points = torch.cat([point_coords / self.side, nowhere], 1)
        labels = torch.cat([point_labels, torch.full((1, _PADDED), PADDING)], 1)
        features = Features(image_embed, high_res_0, high_res_1, high_res_2)
        masks, scores = self.decoder(features, points, labels, mask_input, has_mask_input)
        return masks, prefer_whole(scores, masks, point_labels)


def export_masks(networks: MaskNetworks, folder: Path) -> tuple[Path, Path]:
    """Write ``encoder.onnx`` and ``decoder.onnx``.

    The encoder reads `image`, RGB in [0, 1], [1, 3, 448, 448], and answers `Features`:
    `image_embed` [1, 64, 56, 56], `high_res_0` [1, 32, 112, 112] (16 channels where the decoder is
    `LIGHT`), `high_res_1` [1, 64, 56, 56] and
    `high_res_2` [1, 128, 28, 28]. The decoder reads these,
    `point_coords` [1, n, 2] in the 448-pixel frame, `point_labels` [1, n] (1 object, 0 not, 2 and 3
    a box's top left and bottom right, -1 nothing), `mask_input` [1, 1, 112, 112] logits and
    `has_mask_input` [1]; it answers `masks` [1, 3, 224, 224] logits and `iou_scores` [1, 3].
    """
    folder.mkdir(parents=True, exist_ok=True)
    quarter = ENCODER_SIDE // 4
    image = torch.rand(1, 3, ENCODER_SIDE, ENCODER_SIDE)
    with torch.no_grad():
        features = networks.eval()(image)
    encoder_path, decoder_path = folder / "encoder.onnx", folder / "decoder.onnx"
    _export(networks, (image,), encoder_path, ["image"], list(Features._fields))
    prompt = (
        torch.rand(1, 2, 2) * ENCODER_SIDE,
        torch.tensor([[1.0, 0.0]]),
        torch.zeros(1, 1, quarter, quarter),
        torch.zeros(1),
    )
    _export(
        ExportedDecoder(networks.decoder).eval(),
        (*features, *prompt),
        decoder_path,
        [*Features._fields, "point_coords", "point_labels", "mask_input", "has_mask_input"],
        ["masks", "iou_scores"],
        {"point_coords": {1: "points"}, "point_labels": {1: "points"}},
    )
    return encoder_path, decoder_path


def export_reconstruction(network: Reconstruction, folder: Path) -> Path:
    """Write ``reconstruction.onnx``: `rgba` [1, 4, 256, 256] to what `Reconstruction` answers.

    That is `surface`, `hidden` and `elevation`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "reconstruction.onnx"
    crop = torch.rand(1, 4, CROP_SIDE, CROP_SIDE)
    _export(network.eval(), (crop,), path, ["rgba"], ["surface", "hidden", "elevation"])
    return path


def _export(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: list[str],
    answers: list[str],
    dynamic: dict[str, dict[int, str]] | None = None,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes that are fixed by intent
        torch.onnx.export(
            network,
            inputs,
            str(path),
            input_names=names,
            output_names=answers,
            dynamic_axes=dynamic,
            opset_version=_OPSET,
            dynamo=False,  # the only exporter without a further dependency
        )
    model = onnx.load(path)
    for_browsers(model)
    store_float16(model, _SMALL)
    onnx.checker.check_model(model)
    onnx.save(model, path)
