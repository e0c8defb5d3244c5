"""Sorting mail: actions that can be undone, folders, labels, and mail put off."""
