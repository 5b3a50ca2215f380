"""What has to hold in the process before SAM 3D Objects is imported.

Upstream reads environment variables, and the name of the GPU, at import; afterwards it is too late.
"""

import importlib
import importlib.util
import logging
import os
from collections.abc import Callable, MutableMapping

import torch

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.sam.objects import absent

logger = logging.getLogger(__name__)

FLASH_CAPABILITY = (8, 0)
"""Compute capability from which FlashAttention 2 runs: Ampere."""


def attention_backend(
    capability: tuple[int, int] | None, installed: Callable[[str], bool] | None = None
) -> str:
    """Choose how upstream computes attention.

    Parameters
    ----------
    capability : (major, minor), optional
        Of the GPU; None without one.
    installed : callable, optional
        Says whether a package can be imported.

    Returns
    -------
    str
        ``flash_attn``, else ``xformers``, else ``sdpa``: in that order of preference, because for
        sparse tensors ``sdpa`` builds a dense mask, two bytes for each pair of voxels.
    """
    installed = installed or (lambda name: importlib.util.find_spec(name) is not None)
    if capability is not None and capability >= FLASH_CAPABILITY and installed("flash_attn"):
        return "flash_attn"
    if capability is not None and installed("xformers"):
        return "xformers"
    return "sdpa"


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make upstream importable: quiet, with the right attention.

    What the operator set stays.

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
    capability = torch.cuda.get_device_capability() if torch.cuda.is_available() else None
    backend = environment.setdefault("ATTN_BACKEND", attention_backend(capability))
    environment.setdefault("SPARSE_ATTN_BACKEND", backend)
    # Or upstream imports a module that was never released.
    environment.setdefault("LIDRA_SKIP_INIT", "true")
    absent.install()
    try:
        _quieten()
        # The pipeline's module sets flash_attn by the GPU's name, installed or not. These two read
        # the variables once: imported first, they keep what was chosen above.
        importlib.import_module("sam3d_objects.model.backbone.tdfy_dit.modules.attention")
        importlib.import_module("sam3d_objects.model.backbone.tdfy_dit.modules.sparse")
    except ImportError as error:
        raise not_importable(error) from None
    fields = {"attention": backend, "capability": capability}
    logger.info("SAM 3D Objects imported", extra={"fields": fields})


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
