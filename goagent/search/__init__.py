"""Search on arrays: many games at once, given `evaluate`. Start with `tree.py`, then `gumbel.py`."""
