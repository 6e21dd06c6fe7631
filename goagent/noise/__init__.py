"""Every source of randomness for training, one small module each: `sources.py` lists them, `settings.py` reads them."""
