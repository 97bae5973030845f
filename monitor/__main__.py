"""`python -m monitor` is the same as `monitor`."""

import sys

from .cli import main

sys.exit(main())
