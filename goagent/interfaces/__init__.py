"""What a person types and sees. Start with `terminal.py`."""
