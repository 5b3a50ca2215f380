"""``python -m gen3d_cloud.preflight --stack gen3d --engine sam``: looks whether all is ready.

Programs here, and the account that the credentials are of. It changes nothing.
"""

import argparse
import os
import sys
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud import weights
from gen3d_cloud.checks import Check, exit_code, report
from gen3d_cloud.deployed import CloudError
from gen3d_cloud.preflight import account, machine


def checks(stack: str, engine: str, given: str) -> Iterator[Check]:
    """Look at machine and account.

    Raises
    ------
    CloudError
        `given` is no list of parameters.
    """
    yield from machine.checks(machine.run)
    try:
        yield from account.checks(stack, engine, given, os.environ.get("HF_TOKEN", ""), weights.ask)
    except (ClientError, BotoCoreError) as error:
        mend = "aws configure (or aws configure sso), and export AWS_REGION=…"
        yield Check("account", False, f"Nothing of it can be asked: {error}", mend)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.preflight", description=__doc__)
    parser.add_argument("--stack", default="gen3d", help="(%(default)s)")
    parser.add_argument("--engine", default="", choices=["", "lite", "open", "sam"])
    parser.add_argument(
        "--parameters", default="", help="Name=value …, as sam deploy will be given them"
    )
    options = parser.parse_args(arguments)
    try:
        found = list(checks(options.stack, options.engine, options.parameters))
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
