"""`goagent analyze`: the same in a table, a plot and an SGF that other programs read; bad files stop nothing."""

import io
import itertools

import pytest
from rich.console import Console
from sgfmill import sgf as sgfmill

from envs import BLACK, WHITE, Rules
from goagent import cli
from goagent.arena.review import Tally, review
from goagent.interfaces import analyze as command
from goagent.interfaces.analysis_files import annotate, draw, lead, tell
from goagent.interfaces.analyze import Record, percent, read_all, to_players, to_summary, to_table
from goagent.players.player import Analysis, Line
from goagent.records.sgf import Game, game_of, parse_sgf
from goagent.records.sgf_tree import SgfError, parse_tree, write_tree

RECORD = (
    "(;FF[4]GM[1]CA[UTF-8]SZ[5]KM[7]PB[$古力]PW[b] \\])C[Start\\] here];B[cc]C[The centre]TR[cc];W[bb]"
    "(;B[cb]LB[aa:x\\:y];W[cd])(;B[bc]C[or here]))"
).replace("PW[b] \\])", "PW[w\\] \\\\]")
PNG = b"\x89PNG\r\n"


class Sage:
    """Would play D1, and knows only that White should not play C2."""

    name = "sage"
    scores = True

    def reset(self):
        pass

    def analyze(self, position):
        rules = position.rules
        black = 0.9 if position.board[rules.rows - 2, 2] == WHITE else 0.3
        win = black if position.to_play == BLACK else 1 - black
        score = 20 * win - 10 if self.scores else None
        legal = [int(action) for action in position.legal_mask().nonzero()[0]]
        favourite = rules.action("D1")
        order = sorted(legal, key=lambda action: action != favourite)
        shares = [2.0 if action == favourite else 1.0 for action in order]
        lines = [
            Line(action, share / sum(shares), None, 0, (action, rules.pass_action))
            for action, share in zip(order, shares, strict=True)
        ]
        return Analysis(win, score, None, lines)

    def distribution(self, position):
        raise AssertionError("the lines say it")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sage(monkeypatch):
    monkeypatch.setattr(command, "load_agent", lambda spec, rules: Sage())


def run(capsys, *argv):
    """(exit status, output, errors)"""
    status = cli.main(["analyze", *argv])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def seen(record, player=None):
    game = parse_sgf(record)
    return list(review(game, player or Sage()))


def shown(table):
    console = Console(width=100, file=io.StringIO())
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_one_game(capsys, folder, sage):
    (folder / "game.sgf").write_text(RECORD)
    status, out, _ = run(capsys, "game.sgf")
    assert status == 0
    assert "game, seen by shipped" in out
    assert "The largest mistakes" in out and "Players" in out
    assert (folder / "game.sgf").read_text() == RECORD
    assert sorted(path.name for path in (folder / "analysis").iterdir()) == ["game.analysis.png", "game.analysis.sgf"]
    assert (folder / "analysis" / "game.analysis.png").read_bytes().startswith(PNG)
    assert (
        game_of(parse_tree((folder / "analysis" / "game.analysis.sgf").read_bytes())).moves == parse_sgf(RECORD).moves
    )


def test_the_table_says_what_was_played_and_what_would_have_been():
    text = shown(to_table(seen("(;SZ[5]KM[0];B[cc];W[cd];B[cd];W[])"), "A game"))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert rows == [
        ["1", "B C3", "30.0%", "W+4.0", "0.0%", "3.7%", "2", "D1 7.4%"],
        ["2", "W C2", "90.0%", "B+8.0", "60.0%", "3.8%", "2", "D1 7.7%"],
        ["3", "B C2", "30.0%", "W+4.0", "-", "", "", "the point is occupied"],
        ["4", "W pass", "30.0%", "W+4.0", "0.0%", "4.0%", "2", "D1 8.0%"],
    ]


def test_the_annotated_game_keeps_everything_and_says_more(sage):
    root = parse_tree(RECORD)
    remarks = seen(RECORD)
    remarks[2] = remarks[2]._replace(loss=0.25)  # B[cb]
    annotate(root, remarks, "sage")
    other = sgfmill.Sgf_game.from_bytes(write_tree(root).encode())
    assert other.get_player_name("b") == "$古力" and other.get_player_name("w") == "w] \\"
    start, first, second, third, fourth = other.get_main_sequence()
    assert [float(node.get("SBKV")) for node in (start, first, second, third, fourth)] == [30, 30, 30, 30, 90]
    assert start.get("C").startswith("Start] here\n\nAnalyzed by sage.")
    assert first.get("C") == "The centre\n\nBlack 30.0%, W+4.0\nC3: 3.7%, place 2. sage prefers D1: 7.4%."
    assert first.get("TR") == {(2, 2)} and third.get("LB") == [((4, 0), "x:y")]
    assert third.get("C").endswith("\nMistake 2 of 2: it gives away 25.0%.")
    old, better = second[1], second[2]
    assert (old.get_move(), old.get("C")) == (("b", (2, 1)), "or here")
    assert [better.get_move(), better[0].get_move()] == [("b", (0, 3)), ("w", None)]
    assert better.get("C") == "What sage would have played." and not better.has_property("SBKV")
    assert fourth.get("C").endswith("\nMistake 1 of 2: it gives away 60.0%.")
    assert third[1].get_move() == ("w", (0, 3))


def test_a_mistake_in_the_root_has_nowhere_to_branch_from():
    root = parse_tree("(;SZ[5]B[aa];W[bb])")
    remarks = [remark._replace(loss=0.5) for remark in seen("(;SZ[5]B[aa];W[bb])")]
    annotate(root, remarks, "sage")
    assert len(root.children) == 2 and "Mistake" in root.text("C")
    assert game_of(root).moves == [(BLACK, 0), (WHITE, 6)]


def test_words():
    remarks = seen("(;SZ[5]KM[0];B[cd];B[cd])")
    assert tell(remarks[0], "sage") == "Black 30.0%, W+4.0\nC2: 3.7%, place 2. sage prefers D1: 7.4%."
    assert tell(seen("(;SZ[5];B[de])")[0], "sage") == "Black 30.0%, W+4.0\nD1: 7.4%, place 1."
    assert tell(remarks[1], "sage") == "Black 30.0%, W+4.0\nBlack may not play C2: the point is occupied."
    assert [lead(2.04), lead(0.0), lead(-0.26), lead(None)] == ["B+2.0", "B+0.0", "W+0.3", "-"]
    assert [percent(0.1234), percent(None)] == ["12.3%", "-"]


def test_a_plot_needs_an_opinion():
    remarks = seen("(;SZ[5];B[aa];W[bb])")
    assert draw(remarks, "$x_ 古力 " * 30).startswith(PNG)
    player = Sage()
    player.scores = False
    assert draw(seen("(;SZ[5];B[aa];W[])", player), "").startswith(PNG)
    silent = [
        remark._replace(analysis=Analysis(None, None, None, []), win_probability=None, score=None) for remark in remarks
    ]
    assert draw(silent, "") is None
    silent[-1] = remarks[-1]  # how it ended is no opinion
    assert draw(silent, "") is None


def test_a_folder_gives_a_summary_and_names_what_it_left_out(capsys, folder, sage):
    games = folder / "games"
    (games / "deep").mkdir(parents=True)
    (games / "deep" / "a.sgf").write_text(RECORD)
    (games / "two.sgfs").write_text(RECORD + "(;SZ[4:3]PB[w\\] \\\\];B[aa];W[bb])")
    (games / "bad.sgf").write_text("(;SZ[9];B[zz])")
    (games / "empty.sgf").write_text("(;SZ[9])")
    (games / "none.sgf").write_text("")
    for _ in range(2):  # the second time what the first has written is no game of the folder
        status, out, _ = run(capsys, "games", "--output", "games", "--agent", "x")
        assert status == 0
        assert [line for line in out.splitlines() if line.startswith("left out")] == [
            "left out: games/bad.sgf, game 1: node 1: 'zz' is not a point of the 9x9 board",
            "left out: games/empty.sgf, game 1: it has no moves",
            "left out: games/none.sgf holds no game: expected SGF, which begins with '(;'",
        ]
        assert "games, seen by x" in out
        assert [name in out for name in ("deep/a ", "two.sgfs-1 ", "two.sgfs-2 ", "bad ")] == [True, True, True, False]
    written = {str(path.relative_to(games)) for path in games.rglob("*.analysis.*")}
    names = ("deep/a", "two.sgfs-1", "two.sgfs-2")
    assert written == {f"{name}.analysis.{kind}" for name, kind in itertools.product(names, ("sgf", "png"))}
    only = folder / "only"
    only.mkdir()
    (games / "deep" / "a.analysis.sgf").rename(only / "a.analysis.sgf")
    assert run(capsys, "only")[0] == 2
    assert run(capsys, "only/a.analysis.sgf")[0] == 0  # asked for by name it is a game


def test_a_summary_has_both_colours_and_all_players():
    a, b = Tally(10, 5, 10, 0.5, 2), Tally(9, 9, 0, 0.0, 0)
    games = [Game(Rules.square(5), black_name="Ann", white_name=white) for white in ("Bob", "")]
    records = [Record(f"g{i}", parse_tree("(;)"), game) for i, game in enumerate(games)]
    tallies = [{BLACK: a, WHITE: b}, {BLACK: a, WHITE: b}]
    rows = [line.split() for line in shown(to_summary(records, tallies, "")).splitlines() if "g1" in line]
    assert rows == [["│", "g1", "│", "0", "│", "5.0%", "-", "│", "2", "-", "│", "50%", "100%", "│"]]
    text = shown(to_players(records, tallies))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert rows == [
        ["?", "White", "1", "9", "-", "-", "100%"],
        ["Ann", "Black", "2", "20", "5.0%", "4", "50%"],
        ["Bob", "White", "1", "9", "-", "-", "100%"],
        ["all", "Black", "2", "20", "5.0%", "4", "50%"],
        ["all", "White", "2", "18", "-", "-", "100%"],
    ]


@pytest.mark.parametrize("spec", ["random", "rollout?playouts=20", "shipped?visits=2"])
def test_real_agents(spec, capsys, folder):
    (folder / "game.sgf").write_text("(;SZ[5];B[cc];W[cc];B[];W[];B[dd])")
    status, out, _ = run(capsys, "game.sgf", "--agent", spec)
    assert status == 0
    assert ("nobody's mistakes are known" in out) == (spec == "random")
    assert (folder / "analysis" / "game.analysis.png").exists() == (spec != "random")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("absent.sgf", "cannot read absent.sgf: No such file or directory"),
        ("bad.sgf", "bad.sgf, game 1: node 1: 'zz'"),
        ("still.sgf", "still.sgf, game 1: it has no moves"),
        ("void", "void holds no games"),
        ("good.sgf --agent nobody", "'nobody' is no agent"),
        ("good.sgf --output bad.sgf", "cannot write into bad.sgf: expected a folder"),
        ("", "FILE_OR_FOLDER"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(argv, said, capsys, folder):
    (folder / "bad.sgf").write_text("(;SZ[9];B[zz])")
    (folder / "still.sgf").write_text("(;SZ[9])")
    (folder / "good.sgf").write_text(RECORD)
    (folder / "void").mkdir()
    before = sorted(folder.rglob("*"))
    status, out, err = run(capsys, *argv.split())
    assert (status, out) == (2, "")
    assert err.startswith("goagent: ") and err.count("\n") == 1 and said in err
    assert sorted(folder.rglob("*")) == before


def test_ctrl_c_keeps_what_is_done(capsys, folder, monkeypatch):
    (folder / "two.sgfs").write_text(RECORD + RECORD)
    asked = itertools.count()

    class Tired(Sage):
        def analyze(self, position):
            if next(asked) > 6:
                raise KeyboardInterrupt
            return super().analyze(position)

    monkeypatch.setattr(command, "load_agent", lambda spec, rules: Tired())
    status, out, _ = run(capsys, "two.sgfs")
    assert status == 130
    assert "two.sgfs-1" in out and "two.sgfs-2" not in out and "stopped after 1 of 2 games" in out
    assert run(capsys, "two.sgfs")[:2] == (130, "")


def test_games_and_errors_come_in_the_order_of_the_files(folder):
    (folder / "a.sgf").write_text(RECORD)
    (folder / "b.sgf").write_text("nothing")
    (folder / "c.sgfs").write_text(RECORD + RECORD)
    found = list(read_all(folder))
    assert [type(one) for one in found] == [Record, SgfError, Record, Record]
    assert [one.name for one in found if isinstance(one, Record)] == ["a", "c.sgfs-1", "c.sgfs-2"]


def test_no_result_replaces_another(folder):
    (folder / "mix").mkdir()
    (folder / "mix" / "a.sgf").write_text(RECORD * 2)
    (folder / "mix" / "a-1.sgf").write_text(RECORD)
    names = [record.name for record in read_all(folder / "mix")]
    assert len(set(names)) == 3


def test_the_plot_of_an_agent_with_an_opinion_does_not_stay_beside_the_words_of_another(capsys, folder, monkeypatch):
    (folder / "game.sgf").write_text(RECORD)
    with monkeypatch.context() as patch:
        patch.setattr(command, "load_agent", lambda spec, rules: Sage())
        assert run(capsys, "game.sgf")[0] == 0
    assert (folder / "analysis" / "game.analysis.png").exists()
    assert run(capsys, "game.sgf", "--agent", "random")[0] == 0
    assert not (folder / "analysis" / "game.analysis.png").exists()
