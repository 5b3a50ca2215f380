"""Loads SAM 3's tracker: the image encoder, and the decoder that answers clicks."""

from pathlib import Path

import torch
from transformers import AutoConfig, Sam3TrackerModel
from transformers.utils import logging as transformers_logging

from gen3d.errors import WeightsInvalid

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
    # What it would print is raised below; the levels that are left out would be reported as well.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tracker = getattr(config, "tracker_config", config)
        tracker.vision_config.scale_factors = _LEVELS
        model, report = Sam3TrackerModel.from_pretrained(
            folder,
            config=tracker,
            dtype=dtype,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise WeightsInvalid(
            f"{folder} holds no SAM 3 that can be loaded ({type(error).__name__}). Fetch the "
            "weights again."
        ) from error
    lost = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if lost:
        names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise WeightsInvalid(
            f"The weights in {folder} lack {names}. Fetch facebook/sam3 again; a model that "
            "Sam3VideoModel.save_pretrained wrote has other names and cannot be used."
        )
    return model.eval()
