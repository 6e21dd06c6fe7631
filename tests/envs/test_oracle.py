"""The kernels agree with the slow referee of `oracle.py` on every position of many random games."""

from typing import NamedTuple

import numba
import numpy as np
import pytest

from envs import SKIP, GoBatch, Position, Rules
from tests.envs.games import KO_RULES, draw_actions
from tests.oracle import Referee, referee


class Counts(NamedTuple):
    """Positions compared."""

    all: int = 0
    late: int = 0  # beyond ply 40, on 5x5 or larger
    superko: int = 0  # where superko forbids a move that simple ko allows


class Share(NamedTuple):
    """Random games on one size, and what a run over them must reach at least."""

    size: str
    ko: str
    suicide: bool
    at_least: Counts
    games: int = 25  # side by side
    pass_weight: float = 0.05
    same_hash: bool = False  # every board has the same hash, so that only the stored boards tell them apart
    threads: int = 1

    def __str__(self) -> str:
        extra = ("-same-hash" if self.same_hash else "") + ("-2-threads" if self.threads == 2 else "")
        return f"{self.size}-{self.ko}-{'suicide' if self.suicide else 'no-suicide'}{extra}"


# size, games side by side -> positions, how many of them late, and how many with a superko under each superko rule
SIZES = {
    ("5", 25): Counts(20_000, 12_500, 2),
    ("5x6", 25): Counts(8_000, 4_500, 1),
    ("6x5", 25): Counts(8_000, 4_500, 1),
    ("7", 20): Counts(3_000, 1_900, 0),
    ("9x6", 15): Counts(2_000, 1_200, 0),
    ("9", 10): Counts(1_500, 950, 0),
    ("1x5", 25): Counts(2_000, 0, 200),
    ("2x3", 25): Counts(4_000, 0, 200),
    ("3", 25): Counts(5_000, 0, 60),
    ("3x7", 25): Counts(5_000, 0, 1),
    ("4", 25): Counts(5_000, 0, 5),
    ("1x19", 25): Counts(2_000, 0, 0),
}

SHARES = [
    Share(size, ko, suicide, counts if ko != "simple" else counts._replace(superko=0), games)
    for (size, games), counts in SIZES.items()
    for ko in KO_RULES
    for suicide in (False, True)
]
SHARES += [
    Share(size, ko, suicide=True, at_least=counts, same_hash=True)
    for size, counts in (("2x3", Counts(2_000, 0, 100)), ("4", Counts(4_000, 0, 10)), ("5", Counts(4_000, 2_000, 1)))
    for ko in ("positional", "situational")
]
SHARES += [
    Share("13", "situational", False, Counts(300, 150, 0), games=3),
    Share("19", "positional", True, Counts(150, 80, 0), games=1),
    Share("5", "positional", False, Counts(16_000, 0, 0), games=100, pass_weight=1, threads=2),
]


@pytest.mark.parametrize("share", SHARES, ids=str)
def test_kernels_agree_with_the_referee(share, tally):
    numba.set_num_threads(share.threads)
    rules = Rules.of_size(share.size, ko=share.ko, suicide=share.suicide, max_moves=250)
    if share.same_hash:
        rules.__dict__["tables"] = rules.tables._replace(keys=np.zeros_like(rules.tables.keys))
    rng = np.random.default_rng(SHARES.index(share))
    batch = GoBatch(rules, share.games)
    referees = [referee(rules) for _ in range(share.games)]
    counts = Counts()
    while counts.all < share.at_least.all:
        verdicts = [game.verdicts() for game in referees]
        assert_same(batch, referees, verdicts)
        counts = count(counts, referees, verdicts)
        actions = draw_actions(batch.legal_mask(), rng, share.pass_weight)
        batch.step(actions)
        for game, action in zip(referees, actions, strict=True):
            if action != SKIP:
                game.play(int(action))
        finished = actions == SKIP
        batch.reset(finished)
        referees = [referee(rules) if finished[g] else game for g, game in enumerate(referees)]
    assert all(reached >= wanted for reached, wanted in zip(counts, share.at_least, strict=True)), counts
    tally("positions where kernels and referee agree", counts.all)
    tally("... beyond ply 40 on 5x5 or larger", counts.late)
    tally("... where superko forbids what simple ko allows", counts.superko)


def assert_same(batch: GoBatch, referees: list[Referee], verdicts: list[list[str]]) -> None:
    """Legal moves, board, side to move, ownership, score and end of each game."""
    masks, scores, over, truncated = batch.legal_mask(), batch.score_black(), batch.is_over, batch.truncated
    boards, owners = (values.reshape(len(referees), -1) for values in (batch.boards, batch.ownership()))
    for g, game in enumerate(referees):
        assert masks[g].tolist() == [verdict == "legal" for verdict in verdicts[g]], f"legal after {game.moves}"
        assert boards[g].tolist() == list(game.board), f"board after {game.moves}"
        assert owners[g].tolist() == game.ownership(), f"ownership after {game.moves}"
        assert scores[g] == game.score_black(), f"score after {game.moves}"
        assert batch.to_play[g] == game.to_play
        assert (over[g], truncated[g]) == (game.is_over, game.truncated), f"end after {game.moves}"


def count(counts: Counts, referees: list[Referee], verdicts: list[list[str]]) -> Counts:
    late = sum(len(game.moves) > 40 and min(game.rows, game.cols) >= 5 for game in referees)
    superko = sum("superko" in row for row in verdicts)
    return Counts(counts.all + len(referees), counts.late + late, counts.superko + superko)


def test_the_shares_add_up():
    wanted = [sum(column) for column in zip(*(share.at_least for share in SHARES), strict=True)]
    assert wanted[0] >= 200_000 and wanted[1] >= 100_000 and wanted[2] >= 1_000, wanted


@pytest.mark.parametrize("rows", range(1, 20))
def test_every_size(rows):
    for cols in range(1, 20):
        rules = Rules(rows, cols, ko=KO_RULES[cols % 3], suicide=bool(rows % 2))
        rng = np.random.default_rng(cols)
        batch, game = GoBatch(rules, 1), referee(rules)
        for ply in range(60):
            if ply % 15 == 0:
                assert_same(batch, [game], [game.verdicts()])
            if game.is_over:
                break
            actions = draw_actions(batch.legal_mask(), rng, pass_weight=0.3)
            batch.step(actions)
            game.play(int(actions[0]))


@pytest.mark.parametrize("ko", KO_RULES)
def test_capture_go_agrees_with_the_referee(ko):
    rules = Rules(4, 5, ko=ko, objective="capture")
    rng = np.random.default_rng(0)
    batch, referees = GoBatch(rules, 200), [referee(rules) for _ in range(200)]
    while not batch.is_over.all():
        verdicts = [game.verdicts() for game in referees]
        assert_same(batch, referees, verdicts)
        actions = draw_actions(batch.legal_mask(), rng)
        batch.step(actions)
        for game, action in zip(referees, actions, strict=True):
            if action != SKIP:
                game.play(int(action))
    assert_same(batch, referees, [game.verdicts() for game in referees])
    assert set(batch.score_black()) >= {1.0, -1.0}


@pytest.mark.parametrize("ko", KO_RULES)
@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("size", ["1x3", "2x3", "4x5"])
def test_moves_against_the_rules_are_executed_as_by_the_referee(size, suicide, ko):
    """Occupied points, suicide, repetition, moves out of turn and after the end; then legal play, judged exactly."""
    rules = Rules.of_size(size, ko=ko, suicide=suicide, max_moves=60)
    rng = np.random.default_rng(2)
    played = [play_anyhow(rules, rng, plies=45) for _ in range(30)]
    batch = GoBatch.from_positions([position for position, _ in played])
    referees = [game for _, game in played]
    while not batch.is_over.all():
        assert_same(batch, referees, [game.verdicts() for game in referees])
        actions = draw_actions(batch.legal_mask(), rng, pass_weight=0.1)
        batch.step(actions)
        for game, action in zip(referees, actions, strict=True):
            if action != SKIP:
                game.play(int(action))


def play_anyhow(rules: Rules, rng: np.random.Generator, plies: int) -> tuple[Position, Referee]:
    """Random actions, legal or not, compared after each."""
    position, game = Position(rules), referee(rules)
    while len(game.moves) < plies:
        if rng.random() < 0.1:
            position = position.with_to_play(3 - position.to_play)
            game.hand_over()
        else:
            action = int(draw_actions(position.legal_mask()[None], rng)[0])
            if action == SKIP or rng.random() < 0.3:
                action = int(rng.integers(rules.num_actions))
            # The referee's simple ko ("do not undo the last move") would also forbid undoing a replacement.
            if rules.ko != "simple" or action == rules.pass_action or game.board[action] == 0:
                position = position.play(action, check=False)
                game.play(action)
        assert_same(GoBatch.from_positions([position]), [game], [game.verdicts()])
    return position, game
