"""What mailkit does: coroutines over interfaces."""
