"""A row of a `GoBatch` is one game: the same as a `Position`, wherever it is copied, reset or left alone."""

import copy
import pickle

import numba
import numpy as np
import pytest
from scipy import stats

from envs import SKIP, GoBatch, IllegalMove, Position, Rules
from tests.envs.games import KO_RULES, draw_actions, play_vertices, random_batch, random_positions


def assert_rows_are(batch: GoBatch, positions: list[Position]) -> None:
    masks, planes, scores, owners = batch.legal_mask(), batch.observe(), batch.score_black(), batch.ownership()
    for i, position in enumerate(positions):
        assert batch.position(i) == position
        assert (batch.boards[i] == position.board).all()
        assert (masks[i] == position.legal_mask()).all()
        assert (planes[i] == position.observe()).all()
        assert scores[i] == position.score_black() and (owners[i] == position.ownership()).all()
        assert batch.to_play[i] == position.to_play and batch.num_moves[i] == len(position.moves)
        assert batch.consecutive_passes[i] == position.consecutive_passes
        assert batch.is_over[i] == position.is_over and batch.truncated[i] == position.truncated


def same_games(one: GoBatch, other: GoBatch) -> bool:
    return all(one.position(i) == other.position(i) for i in range(one.num_games))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("ko", KO_RULES)
def test_a_row_is_a_position(ko, threads):
    """Through skips, resets of some games, copies within the batch, and history that outgrows its first room."""
    numba.set_num_threads(threads)
    rules = Rules(3, 4, ko=ko, suicide=True, max_moves=70)
    rng = np.random.default_rng(0)
    batch = GoBatch(rules, 70)
    positions = [Position(rules)] * 70
    for ply in range(120):
        actions = draw_actions(batch.legal_mask(), rng, pass_weight=0.05)
        actions[rng.random(70) < 0.1] = SKIP
        batch.step(actions)
        positions = [p if a == SKIP else p.play(int(a)) for p, a in zip(positions, actions, strict=True)]
        if ply % 10 == 9:
            which = rng.random(70) < 0.03
            batch.reset(which)
            positions = [Position(rules) if which[i] else p for i, p in enumerate(positions)]
            from_, to = rng.integers(0, 70, (2, 5))
            batch.copy_games(batch, from_, to)
            sources = [positions[i] for i in from_]
            for source, i in zip(sources, to, strict=True):
                positions[i] = source
            assert_rows_are(batch, positions)
    assert max(len(position.moves) for position in positions) == 70 > min(len(position.moves) for position in positions)


def test_copies_go_their_own_way():
    rules = Rules(4, 4)
    source = random_batch(rules, 3, seed=1, plies=60, pass_weight=0.01)
    before = copy.deepcopy(source)
    target = GoBatch(rules, 5)
    target.copy_games(source, [2, 0, 2], [0, 3, 4])
    assert [target.position(i) == source.position(j) for i, j in ((0, 2), (3, 0), (4, 2))] == [True] * 3
    assert target.position(1) == target.position(2) == Position(rules)
    target.step(draw_actions(target.legal_mask(), np.random.default_rng(0)))
    assert same_games(source, before)
    target.reset()
    assert same_games(target, GoBatch(rules, 5))


def test_copying_overlapping_games_of_one_batch_is_simultaneous():
    rules = Rules(4, 4)
    batch = random_batch(rules, 4, seed=1, plies=10)
    old = [batch.position(i) for i in range(4)]
    batch.copy_games(batch, [0, 1, 2, 3], [1, 2, 3, 0])
    assert [batch.position(i) for i in range(4)] == [old[3], old[0], old[1], old[2]]


def test_from_positions_and_back():
    rules = Rules(5, 5, ko="situational")
    positions = [list(random_positions(rules, seed, plies=20 * seed))[-1] for seed in range(5)]
    batch = GoBatch.from_positions(positions)
    assert_rows_are(batch, positions)
    moved = batch.position(4)
    batch.step(draw_actions(batch.legal_mask(), np.random.default_rng(0)))
    assert moved == positions[4] != batch.position(4)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda batch: pickle.loads(pickle.dumps(batch))])
def test_a_copied_batch_plays_the_same_games_apart(twin):
    batch = random_batch(Rules(5, 5), 8, seed=2, plies=30)
    batch.legal_mask()
    other = twin(batch)
    untouched = twin(batch)
    for _ in range(20):
        for games in (batch, other):
            games.step(games.sample_legal(np.random.default_rng(7)))
    assert same_games(batch, other) and not same_games(batch, untouched)


@pytest.mark.parametrize("ask_first", [False, True])
def test_an_illegal_step_changes_nothing(ask_first):
    """Whether or not the mask, which could vouch for the moves, was asked for."""
    rules = Rules(3, 3)
    batch = random_batch(rules, 4, seed=0, plies=3, pass_weight=0)
    if ask_first:
        batch.legal_mask()
    before = copy.deepcopy(batch)
    taken = int(batch.position(2).moves[-1])
    legal = draw_actions(before.legal_mask(), np.random.default_rng(0))
    for bad, message in [
        (taken, f"game 2: White may not play {rules.vertex(taken)}: the point is occupied"),
        (10, "game 2: 10 is not an action: expected 0 to 9, or -1 to skip"),
        (-2, "game 2: -2 is not an action"),
    ]:
        actions = legal.copy()
        actions[2] = bad
        with pytest.raises(IllegalMove, match=message):
            batch.step(actions)
        assert same_games(batch, before) and (batch.legal_mask() == before.legal_mask()).all()
    batch.step(legal)


def test_a_finished_game_refuses_moves_and_can_be_skipped():
    batch = GoBatch(Rules(3, 3), 2)
    batch.step([9, 4])
    batch.step([9, 3])
    assert batch.is_over.tolist() == [True, False]
    assert not batch.legal_mask()[0].any() and batch.legal_mask()[1].any()
    with pytest.raises(IllegalMove, match="game 0: Black may not play pass: the game is over"):
        batch.step([9, 9])
    assert batch.sample_legal(np.random.default_rng(0))[0] == SKIP
    before = batch.position(0)
    batch.step([SKIP, 9])
    assert batch.position(0) == before and batch.num_moves.tolist() == [2, 3]


def test_sample_legal_is_uniform_over_the_mask():
    position = play_vertices(Rules(3, 3), "A1 B2 A2 C3 pass")  # four points and the pass
    batch = GoBatch.from_positions([position] * 20_000)
    actions = batch.sample_legal(np.random.default_rng(3))
    counts = np.bincount(actions, minlength=10)
    legal = position.legal_mask()
    assert counts[~legal].sum() == 0
    assert stats.chisquare(counts[legal]).pvalue > 1e-4


def test_few_legal_moves_are_still_drawn_uniformly():
    """On a large board, almost full: most draws of a point fail, and the last resort counts."""
    rules = Rules(13, 13)
    full = "\n".join("X.XXXXXXXXXXX" if row == 0 else "XXXXXXXXXXXX" + ("." if row == 12 else "X") for row in range(13))
    batch = GoBatch.from_positions([Position.from_diagram(full, rules)] * 3000)
    counts = np.bincount(batch.sample_legal(np.random.default_rng(3)), minlength=rules.num_actions)
    assert np.flatnonzero(counts).tolist() == [1, 168, 169]
    assert stats.chisquare(counts[[1, 168, 169]]).pvalue > 1e-4


def test_what_is_returned_is_the_callers_own():
    batch = random_batch(Rules(4, 4), 2, seed=0, plies=6)
    before = copy.deepcopy(batch)
    for values in (batch.boards, batch.to_play, batch.num_moves, batch.consecutive_passes, batch.is_over):
        values[:] = 0
    for values in (batch.ownership(), batch.score_black(), batch.observe()):
        values[:] = 0
    with pytest.raises(ValueError, match="read-only"):
        batch.legal_mask()[:] = True
    assert same_games(batch, before)


def test_a_game_of_200_plies_on_9x9_takes_under_8_kib():
    batch = random_batch(Rules(9, 9, max_moves=10**6), 64, seed=0, plies=200, pass_weight=0)
    batch.legal_mask()
    assert batch.num_moves.max() == 200
    assert batch.nbytes / batch.num_games < 8192


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda b: GoBatch(b.rules, 0), "num_games is 0"),
        (lambda b: GoBatch.from_positions([]), "no positions"),
        (lambda b: GoBatch.from_positions([Position(b.rules), Position(Rules(5, 5))]), "different rules"),
        (lambda b: b.step([0]), r"shape \(1,\)"),
        (lambda b: b.step([0.0, 1.0]), "float64"),
        (lambda b: b.step([True, False]), "bool"),
        (lambda b: b.reset([0, 1]), r"expected \(2,\) bool"),
        (lambda b: b.reset(np.ones(3, bool)), r"expected \(2,\) bool"),
        (lambda b: b.position(2), "no game 2"),
        (lambda b: b.position(-1), "no game -1"),
        (lambda b: b.copy_games(GoBatch(Rules(5, 5), 1), [0], [0]), "different rules"),
        (lambda b: b.copy_games(b, [0, 1], [0]), "2 games to copy into 1 slots"),
        (lambda b: b.copy_games(b, [2], [0]), "from_ names games 2 to 2"),
        (lambda b: b.copy_games(b, [0], [-1]), "to names games -1"),
    ],
)
def test_bad_arguments_say_what_is_wrong(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(GoBatch(Rules(4, 4), 2))


@pytest.mark.parametrize("rules", [Rules.square(2), Rules(3, 4, ko="situational"), Rules.square(5)], ids=str)
def test_following_lines_is_playing_them(rules):
    rng = np.random.default_rng(0)
    stepped, followed = GoBatch(rules, 20), GoBatch(rules, 20)
    lines = np.full((20, 12), -1)
    for ply in range(12):
        lines[:, ply] = stepped.sample_legal(rng)
        stepped.step(lines[:, ply])
    followed.follow(lines)
    assert all(followed.position(i) == stepped.position(i) for i in range(20))


def test_a_line_stops_before_what_is_illegal():
    rules = Rules.square(3)
    batch = GoBatch(rules, 2)
    with pytest.raises(IllegalMove, match=r"game 1: .*occupied"):
        batch.follow(np.array([[0, 1, 2], [4, 4, 5]]))
    assert batch.position(1).moves == (4,)
    with pytest.raises(IllegalMove, match="game 0: 10 is not an action"):
        GoBatch(rules, 1).follow(np.array([[10]]))
    with pytest.raises(ValueError, match="lines have shape"):
        batch.follow(np.array([0, 1]))


def test_every_game_may_have_a_komi_of_its_own():
    rules = Rules.square(3, komi=1)
    batch, copy = GoBatch(rules, 3), GoBatch(rules, 3)
    batch.komi[:] = [0.5, 1, -4]
    batch.step(np.array([4, 4, 4]))
    assert batch.score_black().tolist() == [8.5, 8, 13]
    copy.copy_games(batch, np.array([2, 1, 0]), np.arange(3))
    assert copy.score_black().tolist() == [13, 8, 8.5]
    for i, komi in enumerate((0.5, 1, -4)):
        alone = Position(Rules.square(3, komi=komi)).play(4)
        assert batch.position(i) == alone and (batch.observe()[i] == alone.observe()).all()
    batch.reset()
    assert batch.komi.tolist() == [0.5, 1, -4]
