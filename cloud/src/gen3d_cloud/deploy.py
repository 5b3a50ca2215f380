"""``python -m gen3d_cloud.deploy``: builds and deploys, after a look at what would fail.

What CloudFormation finds out half-way, when all is rolled back, is looked at beforehand: state and
name of the stack, the bucket's name, the sender's identity. The rest is `make preflight`'s.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud.checks import exit_code, report
from gen3d_cloud.deployed import CloudError, environment
from gen3d_cloud.preflight import account
from gen3d_cloud.preflight.parameters import overrides

ROOT = Path(__file__).resolve().parents[3]


def commands(stack: str, given: str) -> list[list[str]]:
    """What builds and deploys.

    Parameters
    ----------
    stack : str
    given : str
        ``Name=value Name=value``; "" leaves everything as it is, or as samconfig.toml has it.

    Raises
    ------
    CloudError
        `given` is no list of parameters, or SAM CLI is not there.
    """
    # That of `make lint` has the version that was tried.
    own = ROOT / ".venvs" / "sam-cli" / "bin" / "sam"
    sam = shutil.which("sam") or (str(own) if own.exists() else None)
    if sam is None:
        raise CloudError("There is no SAM CLI. `make lint` installs the one that was tried.")
    deploy = [sam, "deploy", "--config-env", environment(stack), "--stack-name", stack]
    listed = [f'{name}="{value}"' for name, value in overrides(given).items()]
    return [[sam, "build"], [*deploy, *(["--parameter-overrides", *listed] if listed else [])]]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.deploy", description=__doc__)
    parser.add_argument("--stack", default="gen3d", help="(%(default)s)")
    parser.add_argument("--parameters", default="", help="Name=value …; the others stay")
    options = parser.parse_args(arguments)
    try:
        to_run = commands(options.stack, options.parameters)
        found = list(account.breaking(options.stack, options.parameters))
    except (CloudError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report(found), flush=True)
    if exit_code(found):
        print("Nothing was deployed.", file=sys.stderr)
        return 1
    for command in to_run:
        print(f"$ {shlex.join(command)}", flush=True)
        done = subprocess.run(command, cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
