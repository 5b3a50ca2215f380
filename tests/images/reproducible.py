"""``python -m tests.images.reproducible``: the zip functions and the layer, built twice.

The second build is of a copy of the sources at another time and place, as on another machine. What
is compared is what ``sam deploy`` uploads: each file's path, mode and content. Layers of Docker
images are not the same twice: they hold when each file was made.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from samtranslator.yaml_helper import yaml_parse

from tests.images.base import this_machines_python
from tests.images.docker import CheckError, finished

ROOT = Path(__file__).resolve().parents[2]
_SAM = [str(ROOT / ".venvs" / "sam-cli" / "bin" / "python"), "-m", "samcli"]


def zipped() -> list[str]:
    """Give the names of what the template has SAM build without Docker."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    return sorted(
        name
        for name, resource in resources.items()
        if resource["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::LayerVersion"}
        and resource.get("Properties", {}).get("PackageType") != "Image"
    )


def digest(folder: Path) -> str:
    """Hash a folder's paths, modes and contents, in the order of the paths."""
    whole = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        mode = path.stat().st_mode & 0o777
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(folder)} {mode:o} {content}\n".encode())
    return whole.hexdigest()


def build(sources: Path, out: Path) -> dict[str, str]:
    """Build all that is zipped; the digest of each.

    Raises
    ------
    CheckError
        SAM fails; its output's end is in the message.
    """
    python = this_machines_python()
    path = os.pathsep.join([*([str(python / "bin")] if python else []), os.environ["PATH"]])
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": path}
    names = zipped()
    # Without the image, which needs Docker.
    template = yaml_parse((sources / "template.yaml").read_text())
    template = {
        **{name: template[name] for name in ("AWSTemplateFormatVersion", "Transform", "Globals")},
        "Parameters": template["Parameters"],
        "Resources": {name: _bare(template["Resources"][name]) for name in names},
    }
    trimmed = sources / "zipped.yaml"
    trimmed.write_text(yaml.safe_dump(template))
    command = [*_SAM, "build", "--template", str(trimmed), "--build-dir", str(out)]
    command += ["--base-dir", str(sources)]
    finished(command, out.parent / f"{out.name}.log", environment)
    return {name: digest(out / name) for name in names}


def _bare(resource: dict[str, object]) -> dict[str, object]:
    """A resource without what refers to others that are left out."""
    kept = ("CodeUri", "ContentUri", "Handler", "Runtime", "CompatibleRuntimes", "Architectures")
    properties = resource["Properties"]
    assert isinstance(properties, dict)
    bare = {name: properties[name] for name in kept if name in properties}
    metadata = {"Metadata": resource["Metadata"]} if "Metadata" in resource else {}
    return {"Type": resource["Type"], "Properties": bare, **metadata}


def copy(target: Path) -> Path:
    """Lay what is committed, and what is not yet, into another folder, all of it new."""
    asked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, capture_output=True, check=True).stdout.decode().split("\0")
    for name in listed:
        if name.startswith(("functions/", "layers/", "template.yaml")) and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def main() -> int:
    """Run the command line."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            first = build(copy(Path(folder, "one")), Path(folder, "built"))
            second = build(copy(Path(folder, "another", "place")), Path(folder, "built-again"))
        except CheckError as error:
            print(error, file=sys.stderr)
            return 1
    for name, found in first.items():
        print(f"{name:18} {found[:16]} {'the same twice' if second[name] == found else 'DIFFERS'}")
    print("mesh image         not compared: an image's layers hold when each file was made")
    return int(first != second)


if __name__ == "__main__":
    sys.exit(main())
