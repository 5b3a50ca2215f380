"""Entry of ``python -m gen3d_local``."""

import sys

from gen3d_local.cli import main

sys.exit(main())
