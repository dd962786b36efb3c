"""`filigree`, `filigree-train` and so on, as an environment with this package has them on its PATH."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import NoReturn

from ._tools import FiligreeError, find


def main() -> NoReturn:
    """Becomes the tool of the name by which this was started."""
    name = pathlib.Path(sys.argv[0]).name
    try:
        tool = find(name)
    except FiligreeError as error:
        print(f"error: {name}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    os.execv(tool, [str(tool), *sys.argv[1:]])
