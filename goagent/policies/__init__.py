"""From a position to a distribution over moves. Start with `network.py`; `distributions.py` is the interface."""
