"""In which regions the whole service can run and on what, by AWS's lists that cfn-lint brings."""

import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import boto3

from docs.generate.parts import DocumentError, code, table

SAM = ("ml.g6e.2xlarge", "ml.g5.2xlarge", "ml.g6.2xlarge")
"""What runs the sam engine, the template's own choice first."""
OPEN = ("ml.g6.2xlarge", "ml.g5.2xlarge", "ml.g4dn.xlarge")
"""Likewise for open."""
LITE = ("ml.c7i.xlarge", "ml.c6i.xlarge", "ml.c5.xlarge")
"""Likewise for lite."""
_GLOBAL = ("AWS::Budgets::Budget",)
"""Of the whole account, made through us-east-1."""


def regions(types: set[str]) -> str:
    """Each region that has all `types` of resources and SES, with its first instance types.

    Raises
    ------
    DocumentError
        cfn-lint is not there.
    """
    lists = schemas()
    hosting = json.loads(
        (lists / "extensions" / "aws_sagemaker_hosting" / "instancetype_enum.json").read_text()
    )
    rows = []
    for region in boto3.Session().get_available_regions("sesv2"):
        listed = lists / "providers" / f"{region}.json"
        if not listed.exists() or types - set(_GLOBAL) - set(json.loads(listed.read_text())):
            continue
        offered = hosting.get(region, {}).get("enum", [])
        first = [
            next((kind for kind in kinds if kind in offered), "") for kinds in (SAM, OPEN, LITE)
        ]
        rows.append([code(region), *(code(kind) or "none of these" for kind in first)])
    said = f"By cfn-lint {version('cfn-lint')} and botocore {version('botocore')}."
    return f"{table(['region', 'sam', 'open', 'lite'], rows)}\n\n{said}"


def schemas() -> Path:
    """Where cfn-lint keeps what it knows of each type and region."""
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise DocumentError("cfn-lint is not there; `make setup` installs it.")
    return Path(spec.origin).parent / "data" / "schemas"
