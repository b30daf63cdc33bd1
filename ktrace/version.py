"""Which ktrace this is. It stands here alone: ``pyproject.toml`` reads it, and importlib.metadata loads 50 modules."""

VERSION = "0.1.0"
