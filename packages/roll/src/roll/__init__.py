"""The async web framework: simple to read, fast to run, hard to break."""

__version__ = "0.14.0"
