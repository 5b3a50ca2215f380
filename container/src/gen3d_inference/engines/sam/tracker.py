"""Loads SAM 3's tracker: the image encoder, and the decoder that answers clicks."""

from pathlib import Path

import torch
from transformers import AutoConfig, Sam3TrackerModel

from gen3d_inference.engines.parts.pretrained import load_pretrained

_LEVELS = [4.0, 2.0, 1.0]
"""Pyramid levels of the neck, as factors of the patch grid; the decoder takes no others."""


def load_tracker(folder: Path, dtype: torch.dtype = torch.float32) -> Sam3TrackerModel:
    """Load the tracker out of SAM 3's weights, on the CPU.

    Its default configuration has a fourth level, half the patch grid. The term that tells the
    decoder that there are no earlier frames, `no_memory_embedding`, would be added to that level
    and dropped with it, without an error; Meta's code removes the level first, and so do we.

    Parameters
    ----------
    folder : Path
        As facebook/sam3 publishes it (detector, tracker and video in one), or a tracker alone.
    dtype : torch.dtype
        Of the parameters.

    Raises
    ------
    WeightsInvalid
        Not SAM 3, or parameters are missing or of another shape.
    """

    def load() -> tuple[Sam3TrackerModel, dict[str, object]]:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tracker = getattr(config, "tracker_config", config)
        tracker.vision_config.scale_factors = _LEVELS
        return Sam3TrackerModel.from_pretrained(
            folder,
            config=tracker,
            dtype=dtype,
            local_files_only=True,
            output_loading_info=True,
        )

    return load_pretrained(
        "SAM 3",
        folder,
        load,
        "Fetch facebook/sam3 again; a model that Sam3VideoModel.save_pretrained wrote has other "
        "names and cannot be used.",
    )
