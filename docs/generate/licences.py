"""``python -m docs.generate.licences`` writes LICENSES.md: what is shipped, under which licence.

The packages are those of the locks; what each says of its licence comes from the index, which is
asked for metadata alone. A test holds the page to the locks, so a new package needs this once more.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "LICENSES.md"
MANY = 60
"""Characters of a licence's name; what is longer is its text."""

LOCKS = {
    "Layer of the functions": "layers/gen3d/src/requirements.txt",
    "Mesh image": "functions/mesh/requirements.txt",
    "Lite function's image": "container/function/requirements.txt",
    "Inference image, lite": "container/requirements.txt",
    "Inference image, open": "container/requirements-open.txt",
    "Inference image, sam": "container/requirements-sam.txt",
}
PACKAGES_OF_THE_PAGE = "webapp/package-lock.json"
_THERE = {
    "python_version": "3.12",
    "python_full_version": "3.12.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}

BOUND = {
    "certifi": "MPL 2.0: a list of certificates, unchanged",
    "easydict": "LGPL 3: a module of its own, unchanged, which anybody can exchange",
    "libheif-js": "LGPL 3: libheif and libde265 as files of their own beside the page, unchanged",
    "tqdm": "MPL 2.0 and MIT: unchanged",
}
"""Copyleft that is shipped, and why it may be; a test refuses any other."""

_HEAD = """# What is shipped, and under which licence

Written by `make licences` from the locks and from what each package says of itself; a test holds it
to the locks. Gen3D itself is under [MIT](LICENSE). Packages that only build, test or measure are not
shipped and not listed.

**Copyleft** in it:

{copyleft}

No package is under GPL or AGPL. Compiled ones carry libraries of their own (libgfortran with GCC's
exception, FFmpeg under LGPL in OpenCV), whose licences lie in their folders. The images stand on
Debian: its base system, tools under GPL included, comes as Docker's official image of Python has it,
with the texts in `/usr/share/doc`.

**Not open source**: NVIDIA's libraries in the images of sam and open, which may be passed on as part of an
application, and Meta's code and weights (below). Images stay in the account of whoever deploys;
whoever passes one on takes these terms over.

## Not from an index

| what | licence | in |
|---|---|---|
| SAM 3D Objects, its code | SAM License, Meta's own: use, changes and passing on under the same licence; not for what trade controls bar, as weapons | Inference image, sam |
| TripoSplat, its code | MIT | Inference image, open |
| MoGe | MIT, parts of DINOv2 under Apache 2.0 | Inference image, sam |
| utils3d | MIT | Inference image, sam |
| PyTorch3D, its Python | BSD 3-Clause | Inference image, sam |
| weights of SAM 3 and SAM 3D Objects, MoGe, DINOv2's code | SAM License; MIT; Apache 2.0 | none: whoever deploys fetches them with their own approval |
| weights of SAM 2.1 and TripoSplat, FLUX.2's image encoder among them | Apache 2.0; MIT; Apache 2.0 | none: whoever deploys open fetches them, without anybody's approval |
| weights of DINOv3's ViT-H+, in TripoSplat's | [DINOv3 License](https://ai.meta.com/resources/models-and-libraries/dinov3-license/), Meta's own: use, changes and passing on under the same licence; not for what trade controls bar | none: fetched with TripoSplat's |
| weights of lite | this project's, MIT | inference image's bucket; the decoder in the page |
"""  # noqa: E501


@dataclass(frozen=True, order=True)
class Package:
    """What is installed: one version of one package."""

    name: str
    version: str


def locked(lock: Path) -> set[Package]:
    """Packages that a lock installs on Linux with Python 3.12."""
    found = set()
    for line in lock.read_text().splitlines():
        text = line.split(" #")[0].strip()
        if not text or text.startswith(("#", "-")):
            continue
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(_THERE):
            (pin,) = wanted.specifier
            found.add(Package(str(canonicalize_name(wanted.name)), pin.version))
    return found


def of_the_page() -> dict[Package, str]:
    """The page's packages and their licences, as npm's lock has them; more than its files hold."""
    packages = json.loads((ROOT / PACKAGES_OF_THE_PAGE).read_text())["packages"]
    return {
        Package(place.rpartition("node_modules/")[2], found["version"]): found.get("license", "")
        for place, found in packages.items()
        if place and not found.get("dev") and not found.get("link")
    }


def asked(packages: set[Package]) -> dict[Package, str]:
    """What packages say of their licences."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, report = Path(folder, "wanted.txt"), Path(folder, "report.json")
        wanted.write_text("".join(f"{p.name}=={p.version}\n" for p in sorted(packages)))
        platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(5, 40)]
        platforms += [f"--platform=manylinux{year}_x86_64" for year in (1, 2010, 2014)]
        # Older ones leave License-Expression out of the report.
        pip = [str(ROOT / ".venv/bin/uv"), "run", "--quiet", "--no-project", "--with", "pip>=25.3"]
        pip += ["python", "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        pip += ["--no-deps", "--report", str(report), "--python-version=3.12", *platforms]
        pip += ["--implementation=cp", "--target", folder, "-r", str(wanted)]
        subprocess.run(pip, check=True)  # noqa: S603  its own arguments
        found = [each["metadata"] for each in json.loads(report.read_text())["install"]]
    return {
        Package(str(canonicalize_name(each["name"])), each["version"]): licence(each)
        for each in found
    }


class Metadata(TypedDict, total=False):
    """What of a package's metadata is read, in pip's spelling."""

    name: Required[str]
    license_expression: str
    license: str
    classifier: list[str]


def licence(metadata: Metadata) -> str:
    """Name a package's licence, in its own words where they are short."""
    expression = metadata.get("license_expression")
    if expression:
        return str(expression)
    classified = [
        text.rpartition(" :: ")[2]
        for text in metadata.get("classifier", [])
        if text.startswith("License ::") and not text.endswith("OSI Approved")
    ]
    said = str(metadata.get("license") or "").strip()
    if said and len(said) <= MANY and "\n" not in said:
        return said
    if classified:
        return " or ".join(classified)
    if metadata["name"].startswith(("nvidia-", "cuda-")):
        return "NVIDIA's, for redistribution in applications"
    return said.splitlines()[0].strip(" =")[:MANY] if said else ""


def page() -> str:
    """The whole page."""
    known: dict[Package, str] = {}
    parts: dict[str, dict[Package, str]] = {}
    for name, lock in LOCKS.items():
        wanted = locked(ROOT / lock)
        missing = wanted - set(known)
        if missing:
            known |= asked(missing)
        parts[name] = {each: known[each] for each in wanted}
    parts["Page"] = of_the_page()
    copyleft = "\n".join(f"- {name}: {why}" for name, why in BOUND.items())
    lines = [_HEAD.format(copyleft=copyleft)]
    for name, packages in parts.items():
        lines += [f"## {name}", "", "| package | version | licence |", "|---|---|---|"]
        for each, text in sorted(packages.items()):
            lines.append(f"| {each.name} | {each.version} | {text.replace('|', '/')} |")
        lines.append("")
    return "\n".join(lines)


def listed() -> dict[str, dict[Package, str]]:
    """Read the page's tables again, by part."""
    found: dict[str, dict[Package, str]] = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        name, _, table = section.partition("\n")
        rows = [line.strip("| ").split(" | ") for line in table.splitlines() if "|" in line]
        if name in {*LOCKS, "Page"}:
            found[name] = {Package(row[0], row[1]): [*row, ""][2] for row in rows[2:]}
    return found


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
