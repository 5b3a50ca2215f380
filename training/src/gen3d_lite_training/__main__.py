"""Trains the lite engine's networks on one GPU and exports them: ``make train-lite``."""

import argparse
import os
import time
from pathlib import Path

import torch

from .export import export_masks, export_reconstruction
from .networks import MaskNetworks, Reconstruction
from .optimiser import Plan, averaged
from .train_decoder import train_decoder
from .train_masks import MaskSettings, train_masks
from .train_reconstruction import ReconstructionSettings, train_reconstruction

MASK_STEPS = 9_000
RECONSTRUCTION_STEPS = 31_000
DECODER_STEPS = 9_000
PARTS = ("masks", "reconstruction", "export")
LATER = "decoder"
"""Teaches a light decoder, from the networks that `--start` names, and writes both of its files."""


def main() -> None:
    """Run the parts asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_lite_training", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"or {LATER}")
    parser.add_argument("--checkpoints", type=Path, default=Path("build/lite-training"))
    parser.add_argument("--out", type=Path, default=Path("build/lite-weights"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--mask-steps", type=int, default=MASK_STEPS)
    parser.add_argument("--reconstruction-steps", type=int, default=RECONSTRUCTION_STEPS)
    parser.add_argument("--decoder-steps", type=int, default=DECODER_STEPS)
    parser.add_argument("--rate", type=float, default=Plan.learning_rate, help="at its highest")
    parser.add_argument(
        "--start", type=Path, help="go on from the networks in this folder, on large images alone"
    )
    parser.add_argument("--seconds", type=float, help="pause each training after these")
    parser.add_argument("--eager", action="store_true", help="do without torch.compile")
    options = parser.parse_args()
    if torch.cuda.is_available():
        device = torch.device("cuda")
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    else:
        device = torch.device("cpu")
        print("There is no GPU here; this would take days.", flush=True)
    processes = max(1, (os.cpu_count() or 1) // 2)

    def log(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)

    def plan(steps: int) -> Plan:
        switch = 0.0 if options.start else Plan.switch
        return Plan(steps, options.rate, seed=options.seed, switch=switch)

    for part in options.parts:
        log(part)
        if part == "masks":
            train_masks(
                MaskSettings(plan(options.mask_steps), start=options.start),
                device,
                options.checkpoints / "masks.pt",
                options.seconds,
                compiled=device.type == "cuda" and not options.eager,
                on_log=log,
                processes=processes,
            )
        elif part == LATER:
            settings = MaskSettings(
                plan(options.decoder_steps), images_large=24, targets=8, start=options.start
            )
            networks = train_decoder(
                settings,
                device,
                options.checkpoints / "decoder.pt",
                options.seconds,
                compiled=device.type == "cuda" and not options.eager,
                on_log=log,
                processes=processes,
            )
            for path in export_masks(networks, options.out):
                log(f"{path} {path.stat().st_size / 1e6:.1f} MB")
        elif part == "reconstruction":
            train_reconstruction(
                ReconstructionSettings(plan(options.reconstruction_steps), start=options.start),
                device,
                options.checkpoints / "reconstruction.pt",
                options.seconds,
                compiled=device.type == "cuda" and not options.eager,
                on_log=log,
                processes=processes,
            )
        elif part == "export":
            networks = MaskNetworks()
            networks.load_state_dict(averaged(options.checkpoints / "masks.pt"))
            for path in export_masks(networks, options.out):
                log(f"{path} {path.stat().st_size / 1e6:.1f} MB")
            network = Reconstruction()
            network.load_state_dict(averaged(options.checkpoints / "reconstruction.pt"))
            path = export_reconstruction(network, options.out)
            log(f"{path} {path.stat().st_size / 1e6:.1f} MB")
        else:
            parser.error(f"There is no part {part!r}.")


if __name__ == "__main__":
    main()
