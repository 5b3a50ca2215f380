"""``python -m gen3d_cloud.image --stack gen3d``: builds the inference image, uploads its weights.

What is committed goes to the stack's bucket as an archive; the stack's CodeBuild project does the
rest. About a quarter of an hour for lite; an hour for sam, most of it the weights; open is between.
"""

import argparse
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud import weights
from gen3d_cloud.deployed import CloudError, environment, output, outputs, parameters

if TYPE_CHECKING:
    from mypy_boto3_codebuild import CodeBuildClient
    from mypy_boto3_codebuild.type_defs import BuildTypeDef
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

ROOT = Path(__file__).resolve().parents[3]
_CONTENTS = ("container", "layers/gen3d/src/gen3d")
_ENGINES = ("lite", "open", "sam")
_POLL_SECONDS = 10.0
_LOG_LINES = 25
_MANIFEST = "manifest.json"
_REVISIONS = 2
_FOR_JOBS = ("decoder.onnx", "LICENSE")


def build(stack: str, engine: str, base: str = "") -> dict[str, str]:
    """Build and push the image of the checked-out commit, and upload its engine's weights.

    Parameters
    ----------
    stack : str
    engine : {"lite", "open", "sam"}
    base : str
        The image to build on; the Dockerfile's own where it is empty.

    Returns
    -------
    dict
        ``CONTAINER_IMAGE`` and ``WEIGHTS_REVISION``.

    Raises
    ------
    CloudError
        The weights may not be read; Git, the stack or the build; what its log says last is in the
        message.
    """
    found = outputs(stack)
    if engine == "sam":
        _may_read_weights(output("HuggingFaceTokenArn", stack, found))
    bucket = output("BucketName", stack, found)
    project = output("ImageBuildName", stack, found)
    commit = _git("rev-parse", "HEAD").decode().strip()
    if _git("status", "--porcelain", "--", *_CONTENTS):
        print("What is not committed does not become part of the image.", file=sys.stderr)
    key = f"build/{commit}.zip"
    try:
        archive = _git("archive", "--format=zip", commit, "--", *_CONTENTS)
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=archive)
        codebuild = boto3.client("codebuild")
        started = codebuild.start_build(
            projectName=project,
            sourceLocationOverride=f"{bucket}/{key}",
            environmentVariablesOverride=[
                {"name": "ENGINE", "value": engine},
                {"name": "TAG", "value": tag(engine, commit, base)},
                {"name": "BASE", "value": base},
            ],
        )
        return _follow(codebuild, started["build"]["id"])
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise CloudError(f"The image cannot be built: {error}.") from None


def _may_read_weights(secret: str) -> None:
    """Look before an hour of building whether the build's token opens the gated weights.

    Raises
    ------
    CloudError
        It does not, or there is none. Where that cannot be known from here, the build tells.
    """
    try:
        token = weights.secret(secret)
    except CloudError as error:
        raise CloudError(f"{error} Fill it: {weights.put_secret(secret)}") from None
    except (ClientError, BotoCoreError) as error:
        print(f"Whether the token may read the weights is not known: {error}", file=sys.stderr)
        return
    for repository in weights.GATED:
        check = weights.access(repository, token, weights.ask)
        if check.holds is False:
            raise CloudError(f"{check.what}: {check.says} Nothing was built; {check.mend}.")
        if check.holds is None:
            print(f"{check.what}: {check.says}", file=sys.stderr)


def tag(engine: str, commit: str, base: str) -> str:
    """Name an image for what it is made of; the repository lets no tag change its image."""
    return f"{engine}-{commit[:12]}{'-' + base.rpartition(':')[2] if base else ''}"


def deployments(stack: str, engine: str, made: dict[str, str]) -> list[str]:
    """The commands that bring an image into service.

    SageMaker changes no instance type while the endpoint scales by itself, so another engine's
    endpoint is taken down first.
    """
    found = outputs(stack)
    deploy = f"sam deploy --config-env {environment(stack)} --stack-name {stack}"
    commands = [
        f"{deploy} --parameter-overrides Engine={engine} "
        f"ContainerImage={made['CONTAINER_IMAGE']} WeightsRevision={made['WEIGHTS_REVISION']}"
    ]
    if "EndpointName" in found and found.get("Engine") != engine:
        commands.insert(0, f"{deploy} --parameter-overrides 'ContainerImage=\"\"'")
    return commands


def sweep(stack: str, engine: str) -> list[str]:
    """Remove what lies about of an engine's old weights, some 17 GB a revision of sam's.

    The last two revisions stay, as does the one in service; and of the others the decoder, which
    jobs that wait for a mask ask for.

    Returns
    -------
    list of str
        The revisions that were removed.

    Raises
    ------
    CloudError
        The stack cannot be read.
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        The bucket may not be listed or written to.
    """
    bucket = output("BucketName", stack, outputs(stack))
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"models/{engine}/")
    files: dict[str, dict[str, datetime]] = {}
    for item in (item for page in pages for item in page.get("Contents", [])):
        revision, _, name = item["Key"].removeprefix(f"models/{engine}/").partition("/")
        files.setdefault(revision, {})[name] = item["LastModified"]
    # Without a manifest it is not whole: it is being staged, or was swept.
    whole = {revision: names for revision, names in files.items() if _MANIFEST in names}
    newest = sorted(whole, key=lambda revision: whole[revision][_MANIFEST], reverse=True)
    kept = {*newest[:_REVISIONS], parameters(stack).get("WeightsRevision", "")}
    swept = [revision for revision in newest if revision not in kept]
    for revision in swept:
        gone = [name for name in whole[revision] if name not in _FOR_JOBS]
        gone.sort(key=lambda name: name != _MANIFEST)  # what is half gone must not look whole
        for start in range(0, len(gone), 1000):
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": f"models/{engine}/{revision}/{name}"} for name in gone[start : start + 1000]
            ]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    return swept


def _follow(codebuild: "CodeBuildClient", build_id: str) -> dict[str, str]:
    print(f"Build {build_id} runs; ending this leaves it running.", flush=True)
    phase = ""
    while True:
        (state,) = codebuild.batch_get_builds(ids=[build_id])["builds"]
        if state.get("currentPhase", "") != phase:
            phase = state["currentPhase"]
            print(f"  {phase.lower()}", flush=True)
        if state["buildStatus"] != "IN_PROGRESS":
            break
        time.sleep(_POLL_SECONDS)
    if state["buildStatus"] != "SUCCEEDED":
        raise CloudError(f"The build ended as {state['buildStatus']}. {_last_words(state)}")
    return {each["name"]: each["value"] for each in state.get("exportedEnvironmentVariables", [])}


def _last_words(state: "BuildTypeDef") -> str:
    """Where and why a build failed, with the end of its log."""
    failed = [
        f"{phase['phaseType'].lower()}: {context['message']}"
        for phase in state.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message")
    ]
    place = state.get("logs", {})
    lines = [f"{'; '.join(failed)}. Its log ({place.get('deepLink', 'not written')}) ends:"]
    if place.get("groupName") and place.get("streamName"):
        events = boto3.client("logs").get_log_events(
            logGroupName=place["groupName"],
            logStreamName=place["streamName"],
            limit=_LOG_LINES,
        )["events"]
        lines += [event["message"].rstrip() for event in events]
    return "\n".join(lines)


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False)
    if done.returncode:
        raise CloudError(f"git {arguments[0]} failed: {done.stderr.decode().strip()}")
    return done.stdout


def _tidy(stack: str, engine: str) -> None:
    try:
        for revision in sweep(stack, engine):
            print(f"Removed the weights of {engine} {revision}; two newer ones are there.")
    except (CloudError, ClientError, BotoCoreError) as error:
        print(f"Old weights were not removed: {error}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.image", description=__doc__)
    parser.add_argument("--stack", required=True, help="a deployed stack")
    parser.add_argument("--engine", required=True, choices=_ENGINES)
    parser.add_argument("--base", default="", help="image with Python 3.12 to build on")
    options = parser.parse_args(arguments)
    try:
        made = build(options.stack, options.engine, options.base)
        commands = deployments(options.stack, options.engine, made)
        _tidy(options.stack, options.engine)
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    print("Next:", *commands, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
