"""Benson's unconditional life: exact on boards small enough to try everything, and never wrong on larger ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import BLACK, EMPTY, SKIP, WHITE, GoBatch, Position, Rules
from envs.diagram import read
from envs.symmetry import transform_board
from tests.envs.games import KO_RULES, draw_actions, random_batch
from tests.oracle import Referee

seeds = st.integers(0, 2**32 - 1)


def sensible_batch(rules: Rules, num_games: int, seed: int, plies: int) -> GoBatch:
    """Games of random moves in which nobody fills an eye, so that life comes about."""
    rng = np.random.default_rng(seed)
    batch = GoBatch(rules, num_games)
    for _ in range(plies):
        batch.step(draw_actions(batch.legal_mask() & ~batch.own_eyes(), rng, pass_weight=0.01))
    return batch


def batch_of(boards: list[np.ndarray], suicide: bool = False, to_play: int = BLACK) -> GoBatch:
    rules = Rules(*boards[0].shape, suicide=suicide)

    def position(board: np.ndarray) -> Position:
        black, white = (np.flatnonzero(board == colour).tolist() for colour in (BLACK, WHITE))
        return Position(rules).with_stones(black, white).with_to_play(to_play)

    return GoBatch.from_positions([position(board) for board in boards])


def slow_pass_alive(board: np.ndarray, suicide: bool) -> np.ndarray:
    """The definitions of `envs/benson.py`, in sets of points."""
    referee = Referee(*board.shape)
    flat = board.ravel()
    out = np.zeros(board.size, np.int8)
    for colour, owner in ((BLACK, 1), (WHITE, -1)):
        is_own = bytes((flat == colour).tolist())
        parts = {frozenset(referee.connected(is_own, point)) for point in range(board.size)}
        all_chains = {part for part in parts if is_own[min(part)]}
        all_regions = parts - all_chains
        liberties = {chain: referee.around(set(chain)) for chain in all_chains}
        beside = {region: {c for c in all_chains if liberties[c] & region} for region in all_regions}
        must_touch = {region: {p for p in region if suicide or flat[p] == EMPTY} for region in all_regions}
        chains, regions = all_chains, all_regions
        while True:
            kept = {c for c in chains if sum(must_touch[region] <= liberties[c] for region in regions) >= 2}
            left = {region for region in regions if beside[region] <= kept}
            if (kept, left) == (chains, regions):
                break
            chains, regions = kept, left
        for chain in chains:
            out[list(chain)] = owner
        for region in all_regions:
            inner = region.difference(*liberties.values())
            if beside[region] and beside[region] <= chains and all(inner <= {p, *referee.next_to[p]} for p in inner):
                assert not out[list(region)].any()
                out[list(region)] = owner
    return out.reshape(board.shape)


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("play", [random_batch, sensible_batch])
def test_the_kernel_equals_the_definition(play, suicide, tally):
    points = both = 0
    for seed, size in enumerate([(1, 1), (1, 7), (7, 1), (2, 3), (3, 3), (4, 4), (3, 6), (5, 5), (7, 7), (9, 9)]):
        for plies in (0, 5, size[0] * size[1] // 2, size[0] * size[1], 2 * size[0] * size[1]):
            batch = play(Rules(*size, suicide=suicide, max_moves=1000), 12, seed, plies)
            found = batch.pass_alive()
            for board, marks in zip(batch.boards, found, strict=True):
                assert (marks == slow_pass_alive(board, suicide)).all(), f"{board}\n{marks}"
            points += (found != 0).sum()
            both += ((found > 0).any((1, 2)) & (found < 0).any((1, 2))).sum()
    tally("points held for good", points)
    assert points > 1000 and both > 0


def boards_when_passing(board: np.ndarray, owner: int, suicide: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    """The stones of `owner` that its enemy, playing alone, cannot take, and every board that it can bring about.

    Ko apart. The search ends when no stone is left to take.
    """
    referee = Referee(*board.shape)
    survives = board.ravel() == owner
    found = {board.tobytes()}
    todo = [board.tobytes()]
    while todo and survives.any():
        referee.board, referee.to_play = todo.pop(), 3 - owner
        survives &= np.frombuffer(referee.board, np.int8) == owner
        for point in range(board.size):
            if referee.board[point] == EMPTY:
                after, _, lost = referee.after(point)
                if after not in found and (lost == 0 or (suicide and lost > 1)):
                    found.add(after)
                    todo.append(after)
    return survives.reshape(board.shape), [np.frombuffer(b, np.int8).reshape(board.shape) for b in sorted(found)]


@pytest.mark.parametrize("suicide", [False, True])
def test_exactly_the_stones_that_nothing_captures(suicide, tally):
    """Against every sequence of enemy moves, on small boards; and what is held stays held."""
    rng = np.random.default_rng(5)
    stones = reached = 0
    for size in [(1, 5), (2, 4), (3, 3), (2, 5), (3, 4)]:
        drawn = rng.choice(3, (1000, *size), p=[0.3, 0.55, 0.15]).astype(np.int8)
        boards = drawn[[has_liberties(board) for board in drawn]][:150]
        boards[::2] = np.array([EMPTY, WHITE, BLACK], np.int8)[boards[::2]]
        for board, marks in zip(boards, batch_of(list(boards), suicide).pass_alive(), strict=True):
            for owner, sign in ((BLACK, 1), (WHITE, -1)):
                survives, later = boards_when_passing(board, owner, suicide)
                assert (survives == ((marks == sign) & (board == owner))).all(), f"{board}\n{marks}"
                if survives.any():
                    assert (batch_of(later, suicide).pass_alive()[:, marks == sign] == sign).all()
                    stones += survives.sum()
                    reached += len(later)
    tally("boards reached in vain against pass-alive stones", reached)
    assert stones > 500 and reached > 300


def has_liberties(board: np.ndarray) -> bool:
    referee = Referee(*board.shape)
    flat = board.tobytes()
    return all(flat[point] == EMPTY or referee.liberties(flat, point) for point in range(board.size))


@settings(max_examples=25)
@given(st.integers(3, 9), st.integers(3, 9), st.sampled_from(KO_RULES), st.booleans(), st.booleans(), seeds)
def test_held_for_good_against_one_who_plays_alone(rows, cols, ko, suicide, owner_is_black, seed):
    """The owner only passes while the other side plays; then its marks stand, and it can take off what is left there.

    After that, `ownership` says the same as the marks.
    """
    rules = Rules(rows, cols, ko=ko, suicide=suicide, max_moves=10_000)
    owner, sign = (BLACK, 1) if owner_is_black else (WHITE, -1)
    rng = np.random.default_rng(seed)
    batch = sensible_batch(rules, 8, seed, plies=int(rng.integers(rows * cols // 2, 2 * rows * cols)))
    held = batch.pass_alive() == sign
    stones = held & (batch.boards == owner)
    for _ in range(3 * rows * cols):
        actions = draw_actions(batch.legal_mask(), rng, pass_weight=0)
        batch.step(np.where(batch.is_over, SKIP, np.where(batch.to_play == owner, rules.pass_action, actions)))
    assert (batch.boards[stones] == owner).all()
    assert (batch.pass_alive()[held] == sign).all()

    boards = [board for board, points in zip(batch.boards, held, strict=True) if points.any()]
    if not boards:
        return
    held, stones = held[held.any((1, 2))], stones[held.any((1, 2))]
    batch = batch_of(boards, suicide, to_play=owner)  # a new history: an old ko must not forbid the captures
    for _ in range(4 * rows * cols):
        points = np.pad(held.reshape(len(held), -1), ((0, 0), (0, 1)))
        wanted = batch.legal_mask() & ~batch.own_eyes() & points
        wanted[:, -1] = batch.legal_mask()[:, -1] & ~wanted.any(1)
        actions = draw_actions(wanted, rng)
        batch.step(np.where(batch.is_over, SKIP, np.where(batch.to_play == owner, actions, rules.pass_action)))
    assert (batch.boards[stones] == owner).all()
    assert (batch.ownership()[held] == sign).all()


@given(st.integers(1, 7), st.integers(1, 7), st.booleans(), seeds)
def test_symmetry_colour_swap_and_single_games(rows, cols, suicide, seed):
    batch = sensible_batch(Rules(rows, cols, suicide=suicide, max_moves=1000), 6, seed, plies=2 * rows * cols)
    found = batch.pass_alive()
    swapped = batch_of(list(np.array([EMPTY, WHITE, BLACK], np.int8)[batch.boards]), suicide)
    assert (swapped.pass_alive() == -found).all()
    for k in range(8 if rows == cols else 4):
        image = batch_of([transform_board(board, k) for board in batch.boards], suicide)
        assert (image.pass_alive() == transform_board(found, k)).all()
    for i in range(batch.num_games):
        assert (GoBatch.from_positions([batch.position(i)]).pass_alive()[0] == found[i]).all()
    before = [batch.position(i) for i in range(batch.num_games)]
    batch.pass_alive()[:] = 5
    assert (batch.pass_alive() == found).all() and before == [batch.position(i) for i in range(batch.num_games)]


# Each: a board, and below it what is held for good: b Black's, w White's, . open.
EVERYWHERE = {
    "two eyes in the corner": """
        . X . X O
        X X X X O
        O O O O O
        . . . . .

        b b b b .
        b b b b .
        . . . . .
        . . . . .
    """,
    "one of the eyes is false": """
        . X . X O
        X X X O O
        X O O . O
        O O . O .

        . . . . w
        . . . w w
        . w w w w
        w w w w w
    """,
    "two chains that share two eyes, on both sides": """
        . X X X O
        X . X O O
        X X O O .
        O O O . O

        b b b b w
        b b b w w
        b b w w w
        w w w w w
    """,
    "one large empty region is no life": """
        . . . X O
        . . . X O
        X X X X O
        O O O O O
        . . . . .

        . . . . .
        . . . . .
        . . . . .
        . . . . .
        . . . . .
    """,
    "seki between two chains that live": """
        . X . X O O .
        X X X X O O O
        X O O O X O .
        X O O . X O O
        X O O . X O .

        b b b b w w w
        b b b b w w w
        b . . . . w w
        b . . . . w w
        b . . . . w w
    """,
    "a bent three is an eye, and a corner of 2x3 has no room for two": """
        X . . X . X X
        X X . X X X X
        X X X X . . .
        X X X X . . .

        b b b b b b b
        b b b b b b b
        b b b b b b b
        b b b b b b b
    """,
    "a corner of 2x4 has": """
        . X . X . . . .
        X X X X . . . .
        . . . X X X X X

        b b b b . . . .
        b b b b . . . .
        b b b b b b b b
    """,
    "an enemy that stands inside without room to live": """
        . X . X . O .
        X X X X . O .
        X X X X X X X

        b b b b b b b
        b b b b b b b
        b b b b b b b
    """,
    "the whole board": """
        . X . X O
        X X X X O
        O O O O O
        . O . O .

        b b b b w
        b b b b w
        w w w w w
        w w w w w
    """,
    "an empty board": """
        . . .
        . . .

        . . .
        . . .
    """,
}  # fmt: skip


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_diagrams(name, suicide):
    check(EVERYWHERE[name], suicide)


def test_suicide_undoes_an_eye_with_enemy_stones_inside():
    """White may fill the right side, vanish, and come back leaving only a point that no black stone touches."""
    board = """
        . X . O O
        X X . O O
        X X X X X
    """
    check(board + "\n" + "\n".join(["b b b b b"] * 3), suicide=False)
    check(board + "\n" + "\n".join([". . . . ."] * 3), suicide=True)


def check(text: str, suicide: bool) -> None:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    half = len(lines) // 2
    board = read("\n".join("".join(line) for line in lines[:half]))
    marks = batch_of([board], suicide).pass_alive()[0]
    drawn = [[{1: "b", -1: "w", 0: "."}[mark] for mark in row] for row in marks.tolist()]
    assert drawn == lines[half:]
    assert (slow_pass_alive(board, suicide) == marks).all()
