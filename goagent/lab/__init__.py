"""What the essays say about randomness, each claim put to a test. Start with `core.py`; a folder is a chapter."""
