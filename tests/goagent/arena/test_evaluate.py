"""`goagent evaluate`: each test on players whose answer is known, then the command as a whole."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from envs import BLACK, Rules
from goagent.arena import exam
from goagent.arena.evaluate import EvaluateConfig, draw_failure, evaluate, rate_agent
from goagent.arena.problems import load_problems
from goagent.errors import UserError
from goagent.players.external import EngineError
from goagent.players.player import Analysis, Resigned
from goagent.players.random import RandomPlayer
from goagent.players.spec import SpecError, load_agent
from goagent.rules import rules_from

FIVE = Rules.square(5)


class Student(RandomPlayer):
    """Knows the answers to all problems."""

    def __init__(self, rules=FIVE):
        self.answers = {problem.position(): min(problem.accepted) for problem in load_problems()}

    def choose(self, position, rng):
        return self.answers[position] if position in self.answers else super().choose(position, rng)


class First(RandomPlayer):
    """Always the first legal move; sure that Black wins."""

    def choose(self, position, rng):
        return int(position.legal_mask().argmax())

    def analyze(self, position):
        return Analysis(float(position.to_play == BLACK), None, None, [])


class Trouble(RandomPlayer):
    def __init__(self, raises):
        self.raises = raises

    def choose(self, position, rng):
        if self.raises:
            raise self.raises
        return int(np.flatnonzero(position.board.ravel())[0])


def rng():
    return np.random.default_rng(0)


def test_a_student_who_knows_all_answers_solves_all_problems():
    attempts = exam.solve_problems(f"py:{__name__}:Student", load_problems(), rng())
    assert all(attempt.solved for attempt in attempts)
    assert [attempt.problem for attempt in attempts] == list(load_problems())


def test_a_random_player_knows_little_and_playouts_know_more():
    problems = load_problems()
    solved = {
        spec: np.mean([attempt.solved for attempt in exam.solve_problems(spec, problems, rng())])
        for spec in ("random", "rollout?playouts=100")
    }
    assert solved["random"] < 0.4 < solved["rollout?playouts=100"]


@pytest.mark.parametrize(
    ("raises", "says"),
    [(Resigned(), "it resigns"), (EngineError("it ended"), "it ended"), (None, "the point is occupied")],
)
def test_no_move_is_no_solution(raises, says):
    attempt = exam.attempt(Trouble(raises), load_problems()[0], rng())
    assert not attempt.solved
    assert says in attempt.trouble
    assert says in draw_failure(attempt)


def test_a_failure_is_drawn_with_the_move():
    problem = next(p for p in load_problems() if p.name == "straight three")
    drawn = draw_failure(exam.Attempt(problem, problem.rules.action("C2"), ""))
    assert drawn.splitlines()[1:] == [
        "   A B C D E",
        " 5 . X . X .",
        " 4 X X X X X",
        " 3 X O O O O",
        " 2 X O ? . .",
        " 1 X O O O O",
        "C2 is played; D2 wins: the middle of three in a row makes two eyes",
    ]
    assert drawn.startswith("life and death: straight three, White to play, komi 1.5")


def test_playouts_win_on_small_solved_boards():
    boards = exam.play_solved_boards("rollout?playouts=200", 2, rng())
    assert [(board.size, board.value, board.games) for board in boards] == [
        ("2", 1, 2),
        ("3", 9, 2),
        ("4", 2, 2),
        ("5", 25, 2),
    ]
    assert boards[1].first_moves == 1
    assert all(0 <= board.score <= 1 for board in boards)


def test_first_moves_outside_the_book_are_seen():
    boards = exam.play_solved_boards(f"py:{__name__}:Corner", 1, rng())
    assert [board.first_moves for board in boards] == [1, 0, 0, 0]


class Corner(First):
    def __init__(self, rules):
        pass


def test_forecasts_are_compared_with_results():
    perfect = exam.compare_forecasts(np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0]))
    assert (perfect.brier, perfect.error, perfect.positions) == (0, 0, 3)
    assert perfect.bins == ((0.0, 0.0, 1), (1.0, 1.0, 2))
    honest = exam.compare_forecasts(np.array([0.75] * 4), np.array([1, 1, 1, 0]))
    assert (honest.brier, honest.error) == (pytest.approx(0.1875), 0)
    proud = exam.compare_forecasts(np.array([0.95, 0.95, 0.05, 0.05]), np.array([1, 0, 0.5, 0]))
    assert proud.error == pytest.approx((2 * 0.45 + 2 * 0.2) / 4)


def test_calibration_is_from_the_side_to_move():
    calibration = exam.calibrate(First(), FIVE, 4, rng())
    assert calibration.positions == 4 * exam.SAMPLES
    assert {forecast for forecast, _, _ in calibration.bins} == {0.0, 1.0}
    outcomes = {forecast: result for forecast, result, _ in calibration.bins}
    assert outcomes[0.0] == pytest.approx(1 - outcomes[1.0], abs=0.35)
    assert exam.calibrate(RandomPlayer(), FIVE, 2, rng()) is None


def test_variety_counts_games_and_openings():
    fixed = exam.measure_variety(First(), FIVE, 4, rng())
    assert fixed == (4, 0.25, 0.0)
    free = exam.measure_variety(RandomPlayer(), FIVE, 8, rng())
    assert (free.unique, free.entropy) == (1.0, 3.0)


def test_the_command_prints_and_writes_everything(tmp_path, capsys):
    file = tmp_path / "result.json"
    config = EvaluateConfig(
        "rollout?playouts=30", size="5", games=4, json=file, show=True, min_problems=0.3, min_boards=0
    )
    assert evaluate(config) == 0
    printed = capsys.readouterr().out
    for words in (
        "life and death",
        "solved boards",
        "rating, random being 0",
        "calibration error",
        "variety",
        "≥ 0.3 met",
        "wins:",
    ):
        assert words in printed
    said = json.loads(file.read_text())
    assert said["thresholds"] == {
        "problems": {"min_problems": 0.3, "met": True},
        "boards": {"min_boards": 0, "met": True},
    }
    assert said["figures"]["problems"] == np.mean([problem["solved"] for problem in said["problems"]])
    assert [match["b"] for match in said["yardsticks"]] == list(exam.YARDSTICKS)
    assert said["yardsticks"][0]["score"] >= 0.75
    assert said["calibration"]["positions"] > 0


def test_only_the_tests_asked_for_are_made(tmp_path, capsys):
    file = tmp_path / "result.json"
    assert evaluate(EvaluateConfig("random", size="3", games=8, only=("variety",), min_variety=0.5, json=file)) == 0
    printed = capsys.readouterr().out
    assert "variety" in printed and not any(word in printed for word in ("problems", "boards", "yardsticks", "value"))
    said = json.loads(file.read_text())
    assert [name for name, figure in said["figures"].items() if figure is not None] == ["variety"]
    assert (said["problems"], said["boards"], said["yardsticks"], said["rating"]) == ([], [], [], None)


def test_the_exit_status_says_whether_the_thresholds_are_met(capsys):
    assert evaluate(EvaluateConfig("random", size="3", quick=True, games=1, min_problems=0.9)) == 1
    assert "not met" in capsys.readouterr().out
    assert evaluate(EvaluateConfig("random", size="3", games=1, max_calibration_error=1.0)) == 1  # it has no opinion


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"games": 0}, "games is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"size": "big"}, "'big' is not a board size"),
        ({"min_score": 50}, "min_score is 50: expected a share from 0 to 1"),
        ({"max_calibration_error": float("nan")}, "max_calibration_error is nan"),
        ({"only": ("variety",), "min_boards": 0.5}, "min_boards is given without its test"),
        ({"json": Path("no/such/folder/result.json")}, "cannot write no/such/folder"),
        ({"spec": "rolout"}, "did you mean rollout"),
    ],
)
def test_bad_settings_are_refused_in_one_line(settings, says):
    with pytest.raises(UserError, match=says) as error:
        evaluate(EvaluateConfig(**({"spec": "random"} | settings)))
    assert "\n" not in str(error.value)


@pytest.mark.evaluation
@pytest.mark.parametrize(("size", "min_score"), [("5", 0.75), ("7", 0.9), ("9", 0.9)])  # on 5x5 Black can always win
def test_the_shipped_agent_passes_its_evaluation(size, min_score):
    try:
        load_agent("shipped", rules_from(size))
    except SpecError as error:
        pytest.skip(str(error))
    config = EvaluateConfig(
        "shipped",
        size=size,
        games=20,
        min_problems=0.85,
        min_boards=0.9,
        min_score=min_score,
        max_calibration_error=0.2,
        min_variety=0.9,
    )
    assert evaluate(config) == 0


def test_who_does_better_against_the_strongest_yardstick_is_rated_higher():
    """Where both win every game against the anchor, only what lies between the yardsticks can tell them apart."""
    weak, middle, strong = exam.YARDSTICKS

    def played(a: str, b: str, score: float) -> SimpleNamespace:
        return SimpleNamespace(a=a, b=b, points=np.full(40, score), games=(None,) * 40)

    among = [played(middle, weak, 1.0), played(strong, middle, 0.9)]
    ratings = [
        rate_agent("it", [played("it", weak, 1.0), played("it", middle, 1.0), played("it", strong, score)], among)["it"]
        for score in (0.5, 0.9)
    ]
    assert ratings[1] > ratings[0] + 100
