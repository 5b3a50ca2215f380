"""``python -m gen3d_inference.engines.open fetch-weights``: from their publishers.

Nobody has to approve: SAM 2.1 is under Apache 2.0, TripoSplat's weights under MIT. Beside its own
they hold two encoders of others: DINOv3 under Meta's DINOv3 License, FLUX.2's under Apache 2.0.
Whoever deploys takes these terms; `licences.txt` beside this file goes with the weights.
"""

import argparse
import shutil
from pathlib import Path

from huggingface_hub import get_token

from gen3d.errors import WeightsUnavailable
from gen3d_inference.engines.parts import fetching
from gen3d_inference.engines.parts.downloads import Repository, bring, files, refuse_others
from gen3d_inference.weights import Manifest, seal

SAM2 = Repository(
    "facebook/sam2.1-hiera-large",
    "665f8e2ad61cf5f53d65644ff27c8ee525124610",
    "sam2",
    ("config.json", "model.safetensors", "LICENSE*"),
)
TRIPOSPLAT = Repository(
    "VAST-AI/TripoSplat",
    "56a96e603204ec410c4da60c13ea4fa09a2169a9",
    "triposplat",
    # Not background_removal, 0.4 GB: the mask is there already.
    (
        "clip_vision/*.safetensors",
        "diffusion_models/*.safetensors",
        "vae/*.safetensors",
        "LICENSE*",
    ),
)
DIGESTS = {
    "sam2/model.safetensors": "dc407dce21301fd94abb395c5099b4f2c455fdc8a8f261ac3d0ea6d4cd197230",
    "triposplat/clip_vision/dino_v3_vit_h.safetensors": (
        "a29ef35101a16966972a0d50732a6f3a608ff7cfffb2afa9bbe9007cb842cc53"
    ),
    "triposplat/diffusion_models/triposplat_fp16.safetensors": (
        "c870b97ac1d6bc9177608a5ec625e19ef9f3c5019aa68f64b0fb7803abcd6d20"
    ),
    "triposplat/vae/flux2-vae.safetensors": (
        "d64f3a68e1cc4f9f4e29b6e0da38a0204fe9a49f2d4053f0ec1fa1ca02f9c4b5"
    ),
    "triposplat/vae/triposplat_vae_decoder_fp16.safetensors": (
        "ed0d0c3d43b599e326845d0ec70f3cf77be9a55e2d97627ac3b34d2830763cc8"
    ),
}
"""SHA-256 of each network's file at these revisions, as other public projects pin them: none has
been fetched to write this. All have to be there, and be these."""

DECODER = "decoder.onnx"
LICENSE = "LICENSE"
LICENCES = Path(__file__).parent / "licences.txt"


def fetch(folder: Path, token: str | None) -> Manifest:
    """Make a sealed weights folder; run again, it goes on where it stopped.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    token : str or None
        Of any account; without one, Hugging Face lets fewer requests through.

    Raises
    ------
    WeightsUnavailable
        No network, no room, or other files than are known.
    WeightsInvalid
        What came is no SAM 2.1, or the folder holds something else as well.
    """
    remotes = [remote for repository in (SAM2, TRIPOSPLAT) for remote in files(repository, token)]
    announced = {remote.path: remote.digest for remote in remotes}
    for path, digest in DIGESTS.items():
        if announced.get(path) != digest:
            raise WeightsUnavailable(
                f"{path} is not announced with the content that is known of its revision. Check "
                "HF_ENDPOINT; if it stays so, its publisher changed the revision."
            )
    bring(remotes, folder)
    shutil.copyfile(LICENCES, folder / LICENSE)
    # Needs torch, which fetching does not.
    from gen3d_inference.engines.open.browser_decoder import write_decoder

    write_decoder(folder / SAM2.folder, folder / DECODER)
    refuse_others(folder, {remote.path for remote in remotes} | {DECODER, LICENSE})
    return seal(folder, "open")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""

    def fetched(options: argparse.Namespace) -> Manifest:
        token = get_token()
        # The build names the secret of the sam engine's token there; nothing here needs one.
        return fetch(options.out, None if token and token.startswith("arn:") else token)

    return fetching.run(fetching.parser_of("open", __doc__, "4.3 GB"), arguments, fetched)
