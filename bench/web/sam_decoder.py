"""A mask decoder of SAM 3's size, with random weights, for `make bench-web`.

``python -m bench.web.sam_decoder OUT`` writes it, and prints how well the masks agree in each of
the precisions that embeddings can have. Needs requirements/torch.txt, and none of Meta's weights:
the times and the agreement of the arithmetic carry over, what the masks show does not.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from container.tests.sam.operators import import_torchvision

import_torchvision()

from transformers import Sam3TrackerConfig, Sam3TrackerModel  # noqa: E402

from container.tests.sam.tiny import randomised  # noqa: E402
from gen3d_inference.embeddings import compressed  # noqa: E402
from gen3d_inference.engines.parts.decoder import (  # noqa: E402
    NAMES,
    PROMPT_INPUTS,
    MaskDecoder,
    as_tokens,
)
from gen3d_inference.engines.parts.decoder_export import to_onnx  # noqa: E402
from gen3d_inference.engines.parts.precision import PRECISIONS, Storing, store  # noqa: E402
from gen3d_inference.mask_decoder import photo_inputs  # noqa: E402

SHAPES = ((1, 256, 72, 72), (1, 32, 288, 288), (1, 64, 144, 144))
SIDE = 1008
PROMPTS = 8


def tracker() -> Sam3TrackerModel:
    """SAM 3's tracker with all but one layer of the encoder left out, which nothing here runs."""
    config = Sam3TrackerConfig()
    config.vision_config.backbone_config.num_hidden_layers = 1
    config.vision_config.scale_factors = [4.0, 2.0, 1.0]
    return randomised(Sam3TrackerModel(config), seed=0)


def prompt(seed: int) -> tuple[torch.Tensor, ...]:
    """One to eight clicks, with an earlier mask from the second on."""
    random = torch.Generator().manual_seed(seed)
    count = seed + 1
    return (
        torch.rand((1, count, 2), generator=random) * SIDE,
        torch.randint(0, 2, (1, count), generator=random, dtype=torch.int32),
        torch.randn((1, 1, 288, 288), generator=random) * 4,
        torch.tensor([float(count > 1)]),
    )


def agreement(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((ours & theirs).sum() / (ours | theirs).sum())


def main() -> None:
    """Write the decoder, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.web.sam_decoder", description=__doc__)
    parser.add_argument("out", type=Path, help="the ONNX file to write")
    out: Path = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(0)
    embeddings = {
        name: torch.randn(shape, generator=random)
        for name, shape in zip(NAMES, SHAPES, strict=True)
    }
    model = tracker()
    whole = MaskDecoder(model)
    exact = [as_tokens(image, whole.grid) for image in embeddings.values()]
    with torch.inference_mode():
        expected = [whole(*exact, *prompt(seed))[0] > 0 for seed in range(PROMPTS)]
    print("| embeddings | MB | decoder, MB | masks' IoU with float32's, mean | least |")
    print("|---|---|---|---|---|")
    file = to_onnx(MaskDecoder(model), "sam", "SAM License")
    out.write_bytes(file)
    session = onnxruntime.InferenceSession(file)
    for precision in PRECISIONS:
        stored = {n: t.numpy() for n, t in store(embeddings, Storing(precision, True)).items()}
        photo = photo_inputs(session, stored)
        ious = []
        for seed in range(PROMPTS):
            given = {n: t.numpy() for n, t in zip(PROMPT_INPUTS, prompt(seed), strict=True)}
            masks = session.run(["masks"], {**photo, **given})[0] > 0
            ious.append(agreement(masks, expected[seed].numpy()))
        size = len(compressed(b"".join(array.tobytes() for array in stored.values()))) / 1e6
        cells = [precision, f"{size:.1f}", f"{len(file) / 1e6:.1f}"]
        print(f"| {' | '.join(cells)} | {np.mean(ious):.4f} | {min(ious):.4f} |", flush=True)


if __name__ == "__main__":
    main()
