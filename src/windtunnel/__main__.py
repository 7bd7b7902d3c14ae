"""`python -m windtunnel`: the same command line."""

import sys

from windtunnel.cli import main

if __name__ == "__main__":
    sys.exit(main())
