"""Packages the template's code as `sam build` and `sam package` do."""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Required, TypedDict, cast

from ministack.services.cloudformation import engine
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

from local_aws import environments
from local_aws.container_images import ContainerImage, assemble
from local_aws.settings import LocalError

Upload = Callable[[str, bytes], dict[str, str]]
"""Stores content under a name; gives its Bucket and Key."""


class Parameter(TypedDict, total=False):
    """A parameter of a template."""

    Type: str
    Default: object


class Resource(TypedDict, total=False):
    """A resource of a template."""

    Type: Required[str]
    Properties: dict[str, object]
    Metadata: dict[str, str]


class Template(TypedDict, total=False):
    """What is read here of a template."""

    Parameters: dict[str, Parameter]
    Resources: Required[dict[str, Resource]]


_EPOCH = (1980, 1, 1, 0, 0, 0)
_BUILD_FILES = {"requirements.txt", "requirements.in", "Dockerfile"}


def read_template(path: Path) -> Template:
    """Read a template with its short tags (`!Ref`).

    Raises
    ------
    LocalError
        It is missing or no template.
    """
    if not path.exists():
        raise LocalError(f"{path} is missing; there is nothing to deploy.")
    try:
        return cast(Template, dict(engine._parse_template(path.read_text())))
    except Exception as error:
        raise LocalError(f"{path.name} is not a template: {error}") from error


def package(template: Template, root: Path, upload: Upload) -> Template:
    """Replace local paths in the template by uploaded packages.

    Parameters
    ----------
    template : dict
        Changed in place.
    root : pathlib.Path
        What paths in it are relative to.
    upload : Upload
    """
    for name, resource in template["Resources"].items():
        properties = resource.setdefault("Properties", {})
        match resource["Type"], properties:
            case "AWS::Serverless::Function", {"PackageType": "Image"}:
                properties["ImageUri"] = image_uri(name)
            case "AWS::Serverless::Function", {"CodeUri": str(path)}:
                properties["CodeUri"] = upload(f"{name}.zip", build(root / path, ""))
            case "AWS::Serverless::LayerVersion", {"ContentUri": str(path)}:
                properties["ContentUri"] = upload(f"{name}.zip", build(root / path, "python/"))
            case "AWS::Serverless::StateMachine", {"DefinitionUri": str(path)}:
                definition = root / path
                properties["DefinitionUri"] = upload(definition.name, definition.read_bytes())
    return template


def expand(template: Template, parameters: dict[str, str]) -> dict[str, object]:
    """Turn `AWS::Serverless::*` into plain resources, as CloudFormation's SAM transform does.

    ministack does so too, but with each parameter's default in the place of its value.

    Raises
    ------
    LocalError
        SAM refuses the template.
    """
    values: dict[str, object] = {}
    for name, declared in (template.get("Parameters") or {}).items():
        value = parameters.get(name, declared.get("Default"))
        is_list = declared.get("Type") == "CommaDelimitedList"
        values[name] = str(value).split(",") if is_list else value
    try:
        expanded = dict(transform(template, values, SimpleNamespace(load=dict)))
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise LocalError(f"SAM refuses the template: {causes}") from error
    return expanded | {"Conditions": _selected(expanded.get("Conditions", {}), values)}


def _selected(part: object, values: dict[str, object]) -> object:
    """Parts of parameters' texts in conditions, which ministack compares as they are written."""
    match part:
        case {
            "Fn::Select": [
                int() | str() as index,
                {"Fn::Split": [str(separator), {"Fn::Sub": str(text)}]},
            ]
        }:
            whole = re.sub(r"\$\{(\w+)\}", lambda found: str(values[found[1]]), text)
            return whole.split(separator)[int(index)]
        case dict():
            return {name: _selected(each, values) for name, each in part.items()}
        case list():
            return [_selected(each, values) for each in part]
        case _:
            return part


def images(template: Template, root: Path) -> dict[str, ContainerImage]:
    """Lay out the image of every image function; by image URI."""
    found = {}
    for name, resource in template["Resources"].items():
        build_of = resource.get("Metadata") or {}
        if (resource.get("Properties") or {}).get("PackageType") != "Image":
            continue
        context = (root / build_of.get("DockerContext", ".")).resolve()
        dockerfile = context / build_of.get("Dockerfile", "Dockerfile")
        python = environments.environment(dockerfile.parent / "requirements.txt")
        builds = environments.BUILD / "images"
        found[image_uri(name)] = assemble(dockerfile, context, builds, python)
    return found


def image_uri(logical_id: str) -> str:
    """The name under which a function's image goes by."""
    return f"local/{logical_id.lower()}:latest"


def build(source: Path, prefix: str) -> bytes:
    """Zip a source folder with its requirements; equal content gives equal bytes.

    Parameters
    ----------
    source : pathlib.Path
        With a `requirements.txt` where packages go in.
    prefix : str
        Folder inside the zip: "python/" for a layer.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        requirements = source / "requirements.txt"
        if requirements.exists():
            _add(archive, environments.packages(requirements), prefix)
        _add(archive, source, prefix, but="__pycache__")
    return buffer.getvalue()


def digest(content: bytes) -> str:
    """A short name for content."""
    return hashlib.sha256(content).hexdigest()[:16]


def _add(archive: zipfile.ZipFile, folder: Path, prefix: str, but: str = "") -> None:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in _BUILD_FILES or but in path.parts:
            continue
        entry = zipfile.ZipInfo(prefix + path.relative_to(folder).as_posix(), _EPOCH)
        entry.external_attr = (path.stat().st_mode & 0o777) << 16
        archive.writestr(entry, path.read_bytes())
