"""``python -m gen3d_inference serve``: what SageMaker runs as ``docker run image serve``."""

import sys

from gen3d_inference.http_server import main

if __name__ == "__main__":
    if sys.argv[1:] != ["serve"]:
        sys.exit("usage: python -m gen3d_inference serve")
    main()
