"""python -m tfflow: the command line."""

import sys

from tfflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
