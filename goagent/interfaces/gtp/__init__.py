"""`goagent gtp`: an agent as a GTP 2 engine. Start with `protocol.py`; what each command does is in `engine.py`."""
