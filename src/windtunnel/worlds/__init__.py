"""The built-in worlds. Each is found by its entry point and uses nothing a stranger's world could not."""
