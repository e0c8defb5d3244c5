"""How many syncs a delivery costs, counted by strace."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.delivering import FOREVER, deliver
from tests.bench.processes import family
from tests.bench.report import Row
from tests.bench.work import Bench

COUNT = 500
_SYNC = re.compile(r"\b(fsync|fdatasync|syncfs)\(")


def syncs(bench: Bench) -> None:
    """Deliveries while every sync of the server's processes is written down."""
    if shutil.which("strace") is None:
        print("  skipped: strace is not installed")
        return
    for sessions in (10, 50):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "strace"
            words = ["strace", "-f", "-q", "-o", str(log)]
            words += ["-e", "trace=fsync,fdatasync,syncfs"]
            for pid in family(bench.target.pids()):
                words += ["-p", str(pid)]
            tracer = subprocess.Popen(words, stderr=subprocess.DEVNULL)
            time.sleep(1)
            row = Row(f"SMTP under strace, {sessions} sessions", "msg/s")
            deliver(bench, row, COUNT, 4096, sessions, FOREVER)
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
            found = len(_SYNC.findall(log.read_text(errors="replace")))
        counted = Row(f"syncs a message, {sessions} sessions", "syncs")
        bench.add(counted, found / COUNT)
