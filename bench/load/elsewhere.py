"""``python -m bench.load.elsewhere up``: a local stack with recorded answers of the model."""

import sys
from typing import TYPE_CHECKING

from gen3d_local import cli
from local_aws.stack import Stack

if TYPE_CHECKING:
    from local_aws.endpoint.server import Server
    from local_aws.endpoint.spec import EndpointSpec


def _server(self: Stack, spec: "EndpointSpec") -> "Server":
    from bench.load.recorded import Recorded  # after the stack has set what its parts read

    return Recorded(*self.instance(spec))


if __name__ == "__main__":
    Stack._server = _server  # type: ignore[method-assign]
    sys.exit(cli.main())
