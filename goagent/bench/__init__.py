"""How fast it is, beside its peers and its own parts: the commands `goagent bench env` and `goagent bench search`."""
