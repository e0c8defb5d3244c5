"""The certificate of our own making."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailkit.app.selfsigned import keep_self_signed
from mailkit.net.tls import names_in

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_it_is_made_once(tmp_path: Path) -> None:
    pair = keep_self_signed(tmp_path / "tls", "Mail.example.org", NOW)
    made = pair.certificate.read_bytes()
    # What clients compare with the name they wanted (RFC 6125 §6.4).
    assert "mail.example.org" in names_in(pair.certificate)
    assert "localhost" in names_in(pair.certificate)
    assert pair.key.stat().st_mode & 0o777 == 0o600
    ssl.create_default_context(cafile=str(pair.certificate))
    again = keep_self_signed(tmp_path / "tls", "mail.example.org", NOW)
    assert again.certificate.read_bytes() == made


def test_it_is_made_anew_when_it_will_not_do(tmp_path: Path) -> None:
    pair = keep_self_signed(tmp_path, "a.example", NOW)
    made = {pair.certificate.read_bytes()}
    keep_self_signed(tmp_path, "b.example", NOW)
    made.add(pair.certificate.read_bytes())
    keep_self_signed(tmp_path, "b.example", NOW + timedelta(days=800))
    made.add(pair.certificate.read_bytes())
    pair.key.unlink()
    keep_self_signed(tmp_path, "b.example", NOW + timedelta(days=800))
    made.add(pair.certificate.read_bytes())
    pair.certificate.write_text("not PEM")
    keep_self_signed(tmp_path, "b.example", NOW + timedelta(days=800))
    made.add(pair.certificate.read_bytes())
    assert len(made) == 5
