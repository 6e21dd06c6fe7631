"""Who can play. Start with `player.py`, what all of them promise; `spec.py` makes one from its name."""
