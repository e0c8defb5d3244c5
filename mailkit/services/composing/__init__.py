"""Writing mail: drafts, answers, files, sending with a way back, and sending later."""
