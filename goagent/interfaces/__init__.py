"""What a person types and sees.

Start with `play.py` for a game, `gtp/protocol.py` for other programs, `analyze.py` for records.
"""
