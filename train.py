"""Train an agent: configuration in, a trained agent and its evaluation out.

    python train.py --size 5 --minutes 5        the same as `goagent train`; --help lists every option

Read on in this order: goagent/learning/config.py, every option with its default; goagent/learning/train.py, the run
from the first batch to the evaluation; the algorithms beside it.
"""

import sys

from goagent.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
