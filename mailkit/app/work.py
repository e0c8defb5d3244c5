"""``python -m mailkit.app.work DESCRIPTOR`` is a worker, loaded quickly."""

from __future__ import annotations

import sys

from mailkit.app.garbage import loading

if __name__ == "__main__":
    # All of the server, and a quarter sooner than at the top of this file.
    with loading():
        from mailkit.app.worker import main

    sys.exit(main(sys.argv[1:]))
