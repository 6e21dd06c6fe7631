"""The terminal app of `goagent play`. Start with `app.py`, then `game_screen.py`."""
