"""``python -m mailkit.app.cli`` is the ``mailkit`` command."""

from __future__ import annotations

from mailkit.app.cli.main import main

main()
