"""What a search asks of a network, and what it makes of the answer."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SCORE_WEIGHT = 0.1  # of the utility; the rest is the result


class Evaluation(NamedTuple):
    """A network's opinion of a batch of positions, all of it for the side to move."""

    logits: np.ndarray  # (batch, num_actions) float32, illegal moves included
    value: np.ndarray  # (batch,) float32 in [-1, 1]: the expected result
    score: np.ndarray  # (batch,) float32: points, komi included
    ownership: np.ndarray  # (batch, rows, cols) float32 in [-1, 1]


Evaluate = Callable[[np.ndarray], Evaluation]  # planes (batch, planes, rows, cols) float32; see envs/planes.py


def utility(value: np.ndarray, score: np.ndarray, num_points: int) -> np.ndarray:
    """What a search maximises, in [-1, 1]: the result, and a little of the score, which saturates.

    The score keeps play sharp where the result is settled (Wu 2019, arXiv:1902.10565, appendix F, with an arctangent
    there). Its scale is the width of the board.
    """
    return (1 - SCORE_WEIGHT) * value + SCORE_WEIGHT * np.tanh(score / np.sqrt(num_points))
