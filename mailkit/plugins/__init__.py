"""Plugins. Nothing lives here but what the configured folders bring."""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
