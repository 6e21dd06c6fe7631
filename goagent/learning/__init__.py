"""How agents learn. Start with `train.py`: it runs a `Learner` for a budget. `config.py` lists every option."""
