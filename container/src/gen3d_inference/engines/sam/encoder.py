"""SAM 3's image encoder: what the mask decoder has to know of a photo, once for all clicks."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import PreTrainedConfig, Sam3TrackerModel

from gen3d_inference.engines.parts.acceleration import accelerate
from gen3d_inference.engines.parts.decoder import NAMES
from gen3d_inference.engines.parts.pixels import stretch, to_device
from gen3d_inference.engines.sam.tracker import load_tracker


class _Rotation(nn.Module):
    """A layer's rotary position tables, computed once.

    The library computes them anew in each layer, from positions that it keeps in the parameters'
    precision: in bfloat16 they are off by up to an eighth of a patch. These come from float32.
    """

    def __init__(self, layer: nn.Module, config: PreTrainedConfig) -> None:
        super().__init__()
        positions = layer.precompute_positions(config, layer.window_size).float()
        cos, sin = layer.rotary_emb(positions, positions)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, *_: Tensor) -> tuple[Tensor, Tensor]:
        return self.cos, self.sin


class _OneProduct(nn.Module):
    """A layer's MLP whose activation is the end of its first matrix product.

    On a GPU this is GELU's usual approximation by a hyperbolic tangent, off by 0.0005 at most, but
    taken before the product is rounded to halves (what comes of it is in bench/gpu/RESULTS.md).
    """

    def __init__(self, mlp: nn.Module) -> None:
        super().__init__()
        self.fc1, self.fc2 = mlp.fc1, mlp.fc2

    def forward(self, values: Tensor) -> Tensor:
        flat = torch._addmm_activation(
            self.fc1.bias, values.flatten(0, -2), self.fc1.weight.t(), use_gelu=True
        )
        product: Tensor = self.fc2(flat)
        return product.view(*values.shape[:-1], -1)


class EncoderNetwork(nn.Module):
    """The tracker's vision encoder and the two layers of its decoder that no click changes.

    Takes normalised pixels, (1, 3, side, side). With ``g = side / 14`` patches a side, gives what
    `NAMES` name, (1, 256, g, g), (1, 32, 4g, 4g) and (1, 64, 2g, 2g), and the backbone's features,
    (1, g², 1024), which SAM 3's detector shares.
    """

    def __init__(self, tracker: Sam3TrackerModel) -> None:
        super().__init__()
        vision = tracker.vision_encoder
        self.backbone = vision.backbone
        for layer in self.backbone.layers:
            layer.rotary_emb = _Rotation(layer, self.backbone.config)
        self.pyramid = vision.neck.fpn_layers
        self.high_res = nn.ModuleList([tracker.mask_decoder.conv_s0, tracker.mask_decoder.conv_s1])
        self.no_memory_embedding = tracker.no_memory_embedding

    def join_activations(self) -> None:
        """Have matrix products end in the activation after them, where it is GELU."""
        if self.backbone.config.hidden_act == "gelu":
            for layer in self.backbone.layers:
                layer.mlp = _OneProduct(layer.mlp)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode normalised pixels."""
        features = self.backbone(pixels).last_hidden_state
        side = int(features.shape[1] ** 0.5)
        grid = features.unflatten(1, (side, side)).permute(0, 3, 1, 2)
        fine, middle, coarse = (level(grid) for level in self.pyramid)
        image_embed = coarse + self.no_memory_embedding.view(1, -1, 1, 1)
        return image_embed, self.high_res[0](fine), self.high_res[1](middle), features


class ImageEncoder:
    """Encodes photos.

    Parameters
    ----------
    folder : Path
        SAM 3's weights.
    device : torch.device
        On a GPU the network runs in bfloat16, accelerated; elsewhere in float32 as it is.

    Raises
    ------
    WeightsInvalid
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        dtype = torch.bfloat16 if on_gpu else torch.float32
        network = EncoderNetwork(load_tracker(folder, dtype)).requires_grad_(False).to(device)
        self.side = int(network.backbone.config.image_size)
        self._device = device
        self._dtype = dtype
        self._run = network
        if on_gpu:
            network.join_activations()
            example = torch.zeros((1, 3, self.side, self.side), device=device, dtype=dtype)
            self._run = accelerate(network, network.backbone.layers, example)

    @torch.inference_mode()
    def __call__(self, photo: Image.Image) -> tuple[dict[str, Tensor], Tensor]:
        """Encode an upright RGB photo.

        Returns
        -------
        dict of str to Tensor
            The decoder's inputs by their names, on the device.
        Tensor
            The backbone's features. All of these are overwritten by the next call.
        """
        pixels = stretch(to_device(photo, self._device), self.side)
        *tensors, features = self._run(pixels.to(self._dtype))
        return dict(zip(NAMES, tensors, strict=True)), features
