"""SAM 2.1: its image encoder, and the model that the decoder is exported from."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import Sam2Config, Sam2Model

from gen3d_inference.engines.parts.acceleration import accelerate
from gen3d_inference.engines.parts.decoder import NAMES
from gen3d_inference.engines.parts.pixels import stretch, to_device
from gen3d_inference.engines.parts.pretrained import load_pretrained

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
"""Of ImageNet's pixels, by which SAM 2's image processor normalises."""


def load_sam2(folder: Path, dtype: torch.dtype = torch.float32) -> Sam2Model:
    """Load SAM 2.1 for photos, on the CPU.

    Parameters
    ----------
    folder : Path
        As facebook/sam2.1-hiera-large publishes it, for photos and videos in one.
    dtype : torch.dtype
        Of the parameters.

    Raises
    ------
    WeightsInvalid
        Not SAM 2, or parameters are missing or of another shape.
    """

    def load() -> tuple[Sam2Model, dict[str, object]]:
        if not (folder / "config.json").is_file():
            raise FileNotFoundError("config.json")
        return Sam2Model.from_pretrained(
            folder,
            config=Sam2Config.from_pretrained(folder, local_files_only=True),
            dtype=dtype,
            local_files_only=True,
            output_loading_info=True,
        )

    return load_pretrained("SAM 2.1", folder, load, "Fetch them again.")


class Sam2EncoderNetwork(nn.Module):
    """SAM 2.1's vision encoder and the two layers of its decoder that no click changes.

    Takes pixels from -1 to 1, (1, 3, side, side). With ``g = side / 16`` gives what `NAMES` name,
    (1, 256, g, g), (1, 32, 4g, 4g) and (1, 64, 2g, 2g).
    """

    def __init__(self, model: Sam2Model) -> None:
        super().__init__()
        self.vision = model.vision_encoder
        self.high_res = nn.ModuleList([model.mask_decoder.conv_s0, model.mask_decoder.conv_s1])
        self.no_memory_embedding = model.no_memory_embedding
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _STD))
        dtype = model.no_memory_embedding.dtype
        self.register_buffer("scale", (0.5 / std).to(dtype), persistent=False)
        self.register_buffer("shift", ((0.5 - mean) / std).to(dtype), persistent=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode pixels."""
        fine, middle, coarse = self.vision(pixels * self.scale + self.shift).fpn_hidden_states
        image_embed = coarse + self.no_memory_embedding.view(1, -1, 1, 1)
        return image_embed, self.high_res[0](fine), self.high_res[1](middle)


class Sam2ImageEncoder:
    """Encodes photos.

    Parameters
    ----------
    folder : Path
        SAM 2.1's weights.
    device : torch.device
        On a GPU the network runs in half precision as one CUDA graph; elsewhere in float32.
    half : torch.dtype
        Which half precision the GPU multiplies in.

    Raises
    ------
    WeightsInvalid
    """

    def __init__(self, folder: Path, device: torch.device, half: torch.dtype) -> None:
        on_gpu = device.type == "cuda"
        self._dtype = half if on_gpu else torch.float32
        model = load_sam2(folder, self._dtype)
        network = Sam2EncoderNetwork(model).requires_grad_(False).to(device)
        self.side = int(model.prompt_encoder.input_image_size)
        self._device = device
        self._run = network
        if on_gpu:
            example = torch.zeros((1, 3, self.side, self.side), device=device, dtype=self._dtype)
            # Its layers have ten shapes, which to compile takes a minute and gains milliseconds.
            self._run = accelerate(network, (), example)

    @torch.inference_mode()
    def __call__(self, photo: Image.Image) -> dict[str, Tensor]:
        """Encode an upright RGB photo.

        Returns
        -------
        dict of str to Tensor
            The decoder's inputs by their names, on the device; overwritten by the next call.
        """
        pixels = stretch(to_device(photo, self._device), self.side)
        return dict(zip(NAMES, self._run(pixels.to(self._dtype)), strict=True))
