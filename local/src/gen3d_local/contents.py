"""What Gen3D puts into a stack beside its template: an engine's weights, and the page.

They are the lite engine's, or those in the sealed folder that ``GEN3D_LOCAL_WEIGHTS`` names.
"""

import os
from pathlib import Path

from gen3d_cloud.publish import configuration, publish, publish_config
from gen3d_local import weights
from local_aws import aws
from local_aws.settings import Settings

WEB_APP = Path("webapp") / "dist"
LITE = Path("container") / "weights" / "lite"


def parameters(root: Path) -> dict[str, str]:
    """The template's parameters that follow from what lies in a checkout."""
    found = weights.read(_folder(root))
    return {"WeightsRevision": found.revision} if found else {}


def _folder(root: Path) -> Path:
    named = os.environ.get("GEN3D_LOCAL_WEIGHTS")
    return Path(named).resolve() if named else root / LITE


def fill(settings: Settings, outputs: dict[str, str]) -> None:
    """Put into a deployed stack's bucket what belongs there.

    Parameters
    ----------
    settings : Settings
        Its template lies in the checkout whose weights and page are taken.
    outputs : dict
        The stack's.
    """
    root = settings.template.parent
    s3 = aws.client("s3")
    found = weights.read(_folder(root))
    if found:
        weights.upload(found, s3, outputs["BucketName"])
    dist = root / WEB_APP
    here = {"apiUrl": f"{settings.url}/api", "endpoint": settings.url}
    if (dist / "index.html").exists():
        publish(dist, s3, outputs["BucketName"], configuration(outputs) | here)
    elif "Engine" in outputs:  # Gen3D, and not another template
        publish_config(s3, outputs["BucketName"], configuration(outputs) | here)
