"""``python -m container serve``: what SageMaker runs as ``docker run image serve``."""

import sys

from container.inference import main

if __name__ == "__main__":
    if sys.argv[1:] != ["serve"]:
        sys.exit("usage: python -m container serve")
    main()
