"""``python -m gen3d_inference.engines.sam fetch-weights``: from their publishers.

Facebook's models are gated: their pages, https://huggingface.co/facebook/sam3 and
https://huggingface.co/facebook/sam-3d-objects, ask for an application that is decided by hand and
can take days. An access token of the approved account comes from --token or HF_TOKEN; either may
also be the ARN of a secret in AWS Secrets Manager that holds it.
"""

import argparse
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from huggingface_hub import get_token

from gen3d.errors import WeightsInvalid, WeightsUnavailable
from gen3d_inference.engines.parts import fetching
from gen3d_inference.engines.parts.downloads import Repository, bring, files, refuse_others
from gen3d_inference.engines.sam import dinov2
from gen3d_inference.weights import Manifest, seal

logger = logging.getLogger(__name__)

# Revisions as other public projects name them: the repositories are gated, so none has been fetched
# to write this. SAM 3's sam3.pt is left out: it would be model.safetensors again.
SAM3 = Repository(
    "facebook/sam3",
    "3c879f39826c281e95690f02c7821c4de09afae7",
    "sam3",
    ("*.json", "*.txt", "*.safetensors", "LICENSE*"),
)
SAM31 = Repository(
    "facebook/sam3.1",
    "daa63191845a41281374e725f4c9e51c7a824460",
    "sam3",
    # Its configuration is written with the weights' names, see gen3d_inference.engines.sam.sam31.
    ("tokenizer*.json", "special_tokens_map.json", "vocab.json", "merges.txt", "*.pt", "LICENSE*"),
)
SAM3D = Repository(
    "facebook/sam-3d-objects",
    "2e73555018d2741ccd486e56c24fac41155a1dc6",
    "sam-3d-objects",
    # Not slat_decoder_mesh, slat_decoder_gs_4 and ss_encoder, 0.9 GB that nothing here opens.
    (
        "checkpoints/*.yaml",
        "checkpoints/ss_generator.*",
        "checkpoints/ss_decoder.*",
        "checkpoints/slat_generator.*",
        "checkpoints/slat_decoder_gs.*",
        "LICENSE*",
    ),
)
MOGE = Repository(
    "Ruicheng/moge-vitl",
    "ad326bfb61facd6c52b5a825bc1e34d7c97d9672",
    "moge",
    ("model.pt",),
)
SAMS = {"3": SAM3, "3.1": SAM31}
"""What finds masks. 3.1 answers clicks better; nobody has loaded it here."""
_WRITTEN = ("config.json", "model.safetensors")
DECODER = "decoder.onnx"
LICENSE = "LICENSE"

Export = Callable[[Path, Path], None]
"""Writes the decoder (second) from the folder of SAM 3's weights (first)."""


def fetch(
    folder: Path,
    token: str | None,
    export: Export,
    repositories: tuple[Repository, ...] = (SAM3, SAM3D, MOGE),
) -> Manifest:
    """Make a sealed weights folder; run again, it goes on where it stopped.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    token : str or None
        Of an account that may read the repositories.
    export : callable
    repositories : tuple of Repository
        The first is SAM 3's; its licence is that of the decoder too.

    Raises
    ------
    WeightsUnavailable
        No access, no token, no network, no room.
    WeightsInvalid
        What came is no SAM 3, or the folder holds something else as well.
    """
    # All are asked before the first byte comes: an approval that is missing shows at once.
    remotes = [remote for repository in repositories for remote in files(repository, token)]
    bring(remotes, folder)
    dinov2.fetch(folder)
    sam3 = repositories[0].folder
    if not (folder / sam3 / LICENSE).is_file():
        raise WeightsInvalid(f"{repositories[0].name} came without its {LICENSE}; name a revision.")
    shutil.copyfile(folder / sam3 / LICENSE, folder / LICENSE)
    export(folder / sam3, folder / DECODER)
    ours = {DECODER, LICENSE} | dinov2.paths(folder) | {f"{sam3}/{name}" for name in _WRITTEN}
    refuse_others(folder, {remote.path for remote in remotes} | ours)
    return seal(folder, "sam")


def _export(weights: Path, out: Path) -> None:
    # Needs torch, which fetching does not.
    from gen3d_inference.engines.sam import sam31
    from gen3d_inference.engines.sam.export import export

    if (weights / sam31.CHECKPOINT).is_file():
        sam31.convert(weights)
    export(weights, out)


def read_token(given: str | None) -> str | None:
    """The access token: as it was given, from the environment, or out of a secret by its ARN.

    Raises
    ------
    WeightsUnavailable
        The secret cannot be read, or has no value yet.
    """
    token = given or get_token()
    if token is None or not token.startswith("arn:"):
        return token
    how = f"aws secretsmanager put-secret-value --secret-id {token} --secret-string hf_…"
    region = token.split(":")[3]
    try:
        secret = boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=token)
    except (ClientError, BotoCoreError) as error:
        raise WeightsUnavailable(
            f"The secret {token} cannot be read: {error}. Where it has no value yet, set it: {how}"
        ) from None
    value = str(secret.get("SecretString", "")).strip()
    if not value:
        raise WeightsUnavailable(f"The secret {token} is empty. Set it: {how}")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = fetching.parser_of("sam", __doc__, "17 GB")
    parser.add_argument("--sam", choices=SAMS, default="3", help="which SAM makes the masks")
    parser.add_argument("--revision-sam3", metavar="SHA", help="another revision of that SAM")
    parser.add_argument("--revision-sam3d", default=SAM3D.revision, metavar="SHA")
    parser.add_argument("--token", help="of Hugging Face, or a secret's ARN; HF_TOKEN is safer")

    def fetched(options: argparse.Namespace) -> Manifest:
        sam3 = SAMS[options.sam]
        sam3 = replace(sam3, revision=options.revision_sam3 or sam3.revision)
        sam3d = replace(SAM3D, revision=options.revision_sam3d)
        return fetch(options.out, read_token(options.token), _export, (sam3, sam3d, MOGE))

    return fetching.run(parser, arguments, fetched)
