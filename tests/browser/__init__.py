"""Pages as a person sees them: Debian's Chromium against a real server."""
