"""The ``mailkit`` command: one file a noun, all of it through ``services.admin``."""
