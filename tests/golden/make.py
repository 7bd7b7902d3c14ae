"""Write a golden journal that is not there yet: `python -m tests.golden.make NAME`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.golden.stories import HERE, write


def main(name: str) -> None:
    target = HERE / f"{name}.sqlite"
    if target.exists():
        raise SystemExit(f"{target} is there, and golden journals are not written twice")
    with tempfile.TemporaryDirectory() as folder:
        made = write(name, Path(folder))
        shutil.copy(made, target)
        shutil.copy(made.with_suffix(".heads"), target.with_suffix(".heads"))


if __name__ == "__main__":
    main(sys.argv[1])
