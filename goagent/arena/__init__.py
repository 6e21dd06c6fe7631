"""Who is stronger, and by how much. Start with `match.py`."""
