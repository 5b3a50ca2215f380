"""What Gen3D puts into a stack beside its template: the lite engine's weights, and the page."""

from pathlib import Path

from gen3d_cloud.publish import configuration, publish
from gen3d_local import weights
from local_aws import aws
from local_aws.settings import Settings

WEB_APP = Path("webapp") / "dist"
LITE = Path("container") / "weights" / "lite"


def parameters(root: Path) -> dict[str, str]:
    """The template's parameters that follow from what lies in a checkout."""
    lite = weights.read(root / LITE)
    return {"WeightsRevision": lite.revision} if lite else {}


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
    lite = weights.read(root / LITE)
    if lite:
        weights.upload(lite, s3, outputs["BucketName"])
    dist = root / WEB_APP
    if (dist / "index.html").exists():
        here = {"apiUrl": f"{settings.url}/api", "endpoint": settings.url}
        publish(dist, s3, outputs["BucketName"], configuration(outputs) | here)
