"""``mailkit demo``: two servers that mail each other, told as a story."""

from __future__ import annotations

import io
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from mailkit.app.demo.authority import Authority
from mailkit.app.demo.places import ADDRESSES, find_places
from mailkit.app.demo.servers import PREFIX, DemoFailed, make_pair
from mailkit.app.demo.story import Story
from mailkit.app.demo.telling import Telling
from mailkit.errors import MailkitError

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends the demo: Ctrl-C, a service manager, a terminal that is closed."""
LOOK = 0.5
"""Seconds between two looks whether that has happened."""


@click.command()
@click.option("--keep", is_flag=True, help="Leave both running until Ctrl-C.")
@click.option(
    "--one-address",
    is_flag=True,
    help="Both on 127.0.0.1, at different ports: by itself where there is no other.",
)
@click.pass_context
def demo(context: click.Context, keep: bool, one_address: bool) -> None:
    """Start two whole servers on this machine, and have them mail each other.

    A message, its signature and its TLS, a reply, a host that is away, an address that
    is wrong: each step is told with what shows it. Nothing leaves this machine, and
    nothing stays on it.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]  # settings of another server
    addresses = (ADDRESSES[0],) * 2 if one_address else ADDRESSES
    folder = Path(tempfile.mkdtemp(prefix="mailkit-demo-"))
    is_kept = False
    # However it ends, the servers are to end, too.
    before = [signal.signal(one, signal.default_int_handler) for one in ENDS]
    try:
        _play(folder, addresses, _commands(context.find_root().command), keep)
    except MailkitError as error:
        is_kept = True
        raise DemoFailed(f"{error} (logs and mail are in {folder})") from error
    except KeyboardInterrupt as error:
        raise DemoFailed("stopped: both servers have ended, nothing is left") from error
    finally:
        if not is_kept:
            shutil.rmtree(folder)
        for one, was in zip(ENDS, before, strict=True):
            signal.signal(one, was)


def _play(
    folder: Path,
    addresses: Sequence[str],
    run: Callable[[Sequence[str]], str],
    keep: bool,
) -> None:
    authority = Authority.make(folder, datetime.now(UTC))
    pair = make_pair(folder, find_places(addresses), authority, run)
    story = Story(pair, Telling(Console(highlight=False)))
    story.begins()
    try:
        pair.start()
        story.run()
        story.ends()
        if keep:
            _stay(story)
    finally:
        for one in ENDS:  # who presses it twice leaves nothing behind, either
            signal.signal(one, signal.SIG_IGN)
        pair.stop()


def _stay(story: Story) -> None:
    """As soon as it is told that Ctrl-C ends it, that is so."""
    try:
        story.stays()
        while True:  # `signal.pause` would not end for one that came right before it
            time.sleep(LOOK)
    except KeyboardInterrupt:
        click.echo()


def _commands(root: click.Command) -> Callable[[Sequence[str]], str]:
    """Runs the command that we are part of; gives what it prints."""

    def run(words: Sequence[str]) -> str:
        out = io.StringIO()
        try:
            with redirect_stdout(out):
                root.main(list(words), prog_name="mailkit", standalone_mode=False)
        except click.ClickException as error:
            raise DemoFailed(f"mailkit {' '.join(words)}: {error.message}") from error
        return out.getvalue()

    return run
