"""What has to hold in the process before SAM 3D Objects is imported.

Upstream reads environment variables, and the name of the GPU, at import; afterwards it is too late.
"""

import importlib
import importlib.util
import logging
import os
from collections.abc import MutableMapping

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.sam.objects import absent, unmasked_attention


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make upstream importable: quiet, with torch's own attention.

    Raises
    ------
    WeightsInvalid
        Upstream, or a package that it needs, is not installed.
    """
    if importlib.util.find_spec("sam3d_objects") is None:
        raise WeightsInvalid(
            "SAM 3D Objects is not installed in this image. Build the image for the sam engine, "
            "or set GEN3D_ENGINE to lite."
        )
    environment["ATTN_BACKEND"] = environment["SPARSE_ATTN_BACKEND"] = "sdpa"
    # Or upstream imports a module that was never released.
    environment.setdefault("LIDRA_SKIP_INIT", "true")
    absent.install()
    try:
        _quieten()
        # The pipeline's module sets flash_attn by the GPU's name, installed or not. These two read
        # the variables once: imported first, they keep what is said above.
        importlib.import_module("sam3d_objects.model.backbone.tdfy_dit.modules.attention")
        importlib.import_module("sam3d_objects.model.backbone.tdfy_dit.modules.sparse")
        unmasked_attention.install()
    except ImportError as error:
        raise not_importable(error) from None


def not_importable(error: ImportError) -> WeightsInvalid:
    """Name what upstream lacks."""
    return WeightsInvalid(
        f"SAM 3D Objects cannot be imported: {error}. Install what "
        "container/requirements-sam.txt lists."
    )


def _quieten() -> None:
    """Send upstream's log through ours, from WARNING on."""
    loguru = importlib.import_module("loguru").logger
    handlers = logging.getLogger().handlers
    loguru.configure(
        handlers=[{"sink": each, "format": "{message}", "level": "WARNING"} for each in handlers]
    )
