"""`python -m digitwatch`, the same as the command `digitwatch`."""

import sys

from digitwatch.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
