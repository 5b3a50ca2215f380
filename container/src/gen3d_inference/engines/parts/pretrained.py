"""Loads a model of transformers from a folder, whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import nn
from transformers.utils import logging as transformers_logging

from gen3d.errors import WeightsInvalid

M = TypeVar("M", bound=nn.Module)


def load_pretrained(
    kind: str, folder: Path, load: Callable[[], tuple[M, dict[str, object]]], lost: str
) -> M:
    """Load a model that lacks nothing, to be asked and not trained.

    Parameters
    ----------
    kind : str
        What it is, for whom it is not.
    folder : Path
        Where its weights lie.
    load : callable
        Gives the model and what transformers says of the loading.
    lost : str
        What to do where parameters are missing, as sentences.

    Raises
    ------
    WeightsInvalid
        Not of this kind, or parameters are missing or of another shape.
    """
    # What it would print is raised below; what is left out on purpose would be reported as well.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model, report = load()
    except Exception as error:
        raise WeightsInvalid(
            f"{folder} holds no {kind} that can be loaded ({type(error).__name__}). Fetch the "
            "weights again."
        ) from error
    missing = [
        *sorted(_strings(report["missing_keys"])),
        *sorted(_strings(report["mismatched_keys"])),
    ]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise WeightsInvalid(f"The weights in {folder} lack {', '.join(missing[:5])}{more}. {lost}")
    model.eval()
    return model


def _strings(keys: object) -> list[str]:
    assert isinstance(keys, (list, set, tuple))
    return [str(key) for key in keys]
