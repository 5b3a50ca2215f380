"""SAM 3's concept prompt: all objects in a photo that a few words name."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase, Sam3Model
from transformers.models.sam3.modeling_sam3 import Sam3VisionEncoderOutput

from gen3d.contract import MAX_CANDIDATES, SURE
from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.interface import Candidates

_SCORE = 0.2
"""Below this nothing is offered. From `SURE` on it is what Meta's image predictor offers."""
_IOU = 0.5
"""Masks that share more than this are one object; the network may name it twice."""
_NO_BOX = -10
"""Label of a box that is not there."""
_VOCABULARY = ("tokenizer.json", "vocab.json")
"""A tokeniser without either is made all the same, and knows no word."""


class ConceptPrompt:
    """Finds objects by name.

    The detector and the tracker share one backbone, and each has a neck of its own. The image
    encoder has run the backbone for the clicks; the detector goes on from there, without a copy.
    It is loaded at the first prompt, as most photos come without one.

    Parameters
    ----------
    folder : Path
        SAM 3's weights, with its tokeniser's files.
    device : torch.device
        Where the features will be.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._folder = folder
        self._device = device
        self._loaded: tuple[Sam3Model, PreTrainedTokenizerBase] | None = None

    @torch.inference_mode()
    def find(self, text: str, features: Tensor) -> Candidates:
        """Find what a text names, or its singular.

        The network knows things by the name of one: "people" finds nobody. Where a text finds
        nothing for sure, its singular is tried.

        Parameters
        ----------
        text : str
            A short noun phrase, in English; what is beyond the network's 32 tokens is left out.
        features : (1, g², 1024)
            The backbone's, as `gen3d_inference.engines.sam.encoder.ImageEncoder` gives them.

        Returns
        -------
        Candidates
            With logits of (4g, 4g) pixels, the photo stretched to them.

        Raises
        ------
        WeightsInvalid
            At the first prompt: the detector or the tokeniser cannot be loaded.
        """
        if self._loaded is None:
            self._loaded = _load(self._folder, self._device)
        found = self._find(text, features)
        if not (found.scores >= SURE).any() and (one := _singular(text)):
            of_one = self._find(one, features)
            if (of_one.scores >= SURE).any():
                return of_one
        return found

    def _find(self, text: str, features: Tensor) -> Candidates:
        assert self._loaded is not None
        detector, tokenizer = self._loaded
        # As Meta runs it: boxes and scores in float32, matrix products in bfloat16 on a GPU.
        on_gpu = self._device.type == "cuda"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=on_gpu):
            logits, scores = _detect(detector, tokenizer, text, features)
        best = _distinct(logits > 0, scores)
        return Candidates(
            logits[best].float().cpu().numpy(), scores[best].cpu().numpy().astype(np.float32), text
        )

    def free(self) -> None:
        """Give the detector's memory back; the next prompt loads it anew."""
        self._loaded = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _load(folder: Path, device: torch.device) -> tuple[Sam3Model, PreTrainedTokenizerBase]:
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        detector, report = Sam3Model.from_pretrained(
            folder,
            config=getattr(config, "detector_config", config),
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
        )
        if not any((folder / name).is_file() for name in _VOCABULARY):
            raise FileNotFoundError(_VOCABULARY[0])
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise WeightsInvalid(
            f"{folder} holds no detector of SAM 3 that can be loaded ({type(error).__name__}), and "
            "texts cannot be read without. Fetch the weights again, or click the object."
        ) from error
    lost = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if lost:
        raise WeightsInvalid(
            f"The weights in {folder} lack {len(lost)} of the detector's parameters, {lost[0]} "
            "among them. Fetch facebook/sam3 again."
        )
    detector.vision_encoder.backbone = nn.Identity()
    return detector.eval().requires_grad_(False).to(device), tokenizer


def _detect(
    detector: Sam3Model, tokenizer: PreTrainedTokenizerBase, text: str, features: Tensor
) -> tuple[Tensor, Tensor]:
    """Logits (n, 4g, 4g) and scores (n) of all the detector's queries."""
    words = tokenizer(
        [text],
        padding="max_length",
        max_length=detector.config.text_config.max_position_embeddings,
        truncation=True,
        return_tensors="pt",
    ).to(features.device)
    side = int(features.shape[1] ** 0.5)
    grid = features.unflatten(1, (side, side)).permute(0, 3, 1, 2)
    levels, positions = detector.vision_encoder.neck(grid)
    answer = detector(
        vision_embeds=Sam3VisionEncoderOutput(
            fpn_hidden_states=levels, fpn_position_encoding=positions
        ),
        input_ids=words.input_ids,
        attention_mask=words.attention_mask,
        # Meta's detector always reads a summary of the photo beside the text. The library leaves
        # it out where there is no box; one that is masked out brings back the summary alone.
        input_boxes=torch.zeros((1, 1, 4), device=features.device),
        input_boxes_labels=torch.full((1, 1), _NO_BOX, device=features.device),
    )
    present = answer.presence_logits[0].float().sigmoid()
    return answer.pred_masks[0], answer.pred_logits[0].float().sigmoid() * present


def _singular(text: str) -> str | None:
    """An English plural's singular; None of anything else."""
    import inflect  # seconds to import, for what most texts are not

    found = inflect.engine().singular_noun(text)
    return str(found) if found else None


def _distinct(masks: Tensor, scores: Tensor) -> list[int]:
    """Indices of the best masks that show different objects, best first."""
    likely = torch.nonzero((scores > _SCORE) & masks.flatten(1).any(1))[:, 0]
    likely = likely[scores[likely].argsort(descending=True)]
    pixels = masks[likely].flatten(1).float()
    shared = pixels @ pixels.T
    areas = shared.diagonal()
    same = (shared / (areas[:, None] + areas - shared) > _IOU).cpu()
    kept: list[int] = []
    for index in range(len(likely)):
        if len(kept) < MAX_CANDIDATES and not same[index, kept].any():
            kept.append(index)
    return [int(likely[index]) for index in kept]
