"""The protocol: one well-formed answer to every line, whatever is in it and whatever goes wrong; and its end."""

import io
import re
import subprocess
import sys
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from goagent.errors import UserError
from goagent.interfaces.gtp.engine import COMMANDS
from goagent.interfaces.gtp.protocol import GtpConfig, Lines, gtp, serve
from goagent.players.random import RandomPlayer
from tests.goagent.interfaces.gtp.fakes import HERE, Broken, First, Quitter, ask, engine


def run(text):
    """A transcript on 3x3: every line of input, followed by what was answered."""
    out, mine = io.StringIO(), engine()
    for line in text.strip().splitlines():
        out.write(f"{line}\n")
        serve(mine, [line], out)
    return out.getvalue()


def test_a_transcript():
    assert (
        run("""
1 boardsize 3
komi 0.5
play b b2
genmove white
showboard
play black B2
play w c1
undo
undo
undo
final_score
quit
""")
        == """\
1 boardsize 3
=1 

komi 0.5
= 

play b b2
= 

genmove white
= A3

showboard
=
   A B C
 3 O . .
 2 . X .
 1 . . .
komi 0.5, Black to play, 2 moves

play black B2
? illegal move

play w c1
= 

undo
= 

undo
= 

undo
= 

final_score
= W+0.5

quit
= 

"""
    )


def test_ids_comments_and_control_characters():
    assert ask(None, "  42\tprotocol_version \x07# what?\r") == ["=42 2"]
    assert ask(None, "007 name#") == ["=007 goagent"]
    assert ask(None, "9 nonsense", "nonsense", "9") == ["?9 unknown command", "? unknown command", "?9 unknown command"]
    assert ask(None, "", "   ", "# a comment", "\x00\r") == [""]
    assert ask(None, "pro\x1btocol_version\x7f") == ["= 2"]
    assert ask(None, "PROTOCOL_VERSION") == ["? unknown command"]


def test_a_fault_is_an_answer_and_the_session_goes_on(capsys):
    lines = ["1 genmove b", "play b c3", "2 genmove w", "3 genmove b", "play w a1", "4 genmove b"]
    answers = ask(Broken(), *lines, "goagent-value", "name")
    assert answers[0] == "?1 internal error: RuntimeError: no weights"
    assert answers[2] == "=2 A3"
    assert answers[3].startswith("?3 internal error: ")
    assert answers[-2:] == ["? internal error: ValueError: no opinion", "= goagent"]
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_that_says_nothing_is_an_answer_too():
    class Silent(First):
        def choose(self, position, rng):
            raise UserError

    assert ask(Silent(), "genmove b", "name") == ["? ", "= goagent"]


ARGUMENTS = ["b", "w", "black", "A1", "B2", "C3", "D4", "pass", "9", "3", "2", "0", "-1", "1e9", "nan", "\t", "#", "{}"]
ARGUMENTS += ['{"ko":"SIMPLE"}', "chinese", "interval", "dead", "alive", "maxmoves", "avoid", "\x00", "é", "absolute"]
WORDS = st.one_of(st.sampled_from([*COMMANDS, *ARGUMENTS]), st.text(max_size=6))
LINES = st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=12)
ANSWER = re.compile(r"(=|\?)(\d*)( [^\n]*)?(\n[^\n]+)*\n\n")


@settings(max_examples=60)
@given(LINES, st.sampled_from([First, RandomPlayer, Broken, Quitter]))
def test_every_command_has_one_answer_and_nothing_ends_the_session(lines, player):
    lines = [line.replace("quit", "name").replace("printsgf", "name").replace("\n", " ") for line in lines]
    mine, commands = engine(player(), size=2), 0
    for line in lines:
        out = io.StringIO()
        serve(mine, [line], out)
        words = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", line).partition("#")[0].split()
        assert bool(out.getvalue()) == bool(words), line
        if words:
            answer = ANSWER.fullmatch(out.getvalue())
            assert answer, (line, out.getvalue())
            assert answer[2] == (words[0] if words[0].isascii() and words[0].isdecimal() else "")
            commands += 1
        assert not mine.done and not mine.game.position.is_over
    assert ask(mine, "5 protocol_version") == ["=5 2"]


def test_the_command_with_a_python_player_and_another_size(capsys):
    out = io.StringIO()
    lines = ["genmove b\n", "boardsize 7 5\n", "genmove b\n", "quit\n", "name\n"]
    assert gtp(GtpConfig(agent=f"{HERE}:First", size="2x3", seed=1), lines, out) == 0
    assert out.getvalue() == "= A2\n\n= \n\n= A5\n\n= \n\n"
    assert capsys.readouterr().err == "first plays on 2x3\nfirst plays on 5x7\n"


def test_the_end_of_the_input_ends_the_session():
    out = io.StringIO()
    assert gtp(GtpConfig(agent="random", size="2"), ["name"], out) == 0
    assert out.getvalue() == "= goagent\n\n"


def test_a_session_ends_in_the_middle_of_an_analysis(tmp_path):
    """Of a network, whose threads Python does not outlive: by a command or the end of the input, several times."""
    program = [sys.executable, "-c", "import sys; from goagent.cli import main; sys.exit(main())"]
    command = [*program, "gtp", "--size", "3", "--agent", "shipped?visits=100000"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    for last in ("quit\n", "", "quit\n", ""):
        with open(tmp_path / "errors", "w") as errors:
            process = subprocess.Popen(command, text=True, stderr=errors, **pipes)
        hanging = threading.Timer(120, process.kill)
        hanging.start()
        process.stdin.write("lz-analyze b 1\n")
        process.stdin.flush()
        begin = process.stdout.readline() + process.stdout.readline()
        process.stdin.write(last)
        process.stdin.close()
        said = begin + process.stdout.read()
        assert process.wait() == 0
        hanging.cancel()
        assert re.fullmatch(r"=\n(info .*\n)+\n" + ("= \n\n" if last else ""), said)
        assert "Traceback" not in (tmp_path / "errors").read_text()


def test_a_move_is_owed_although_the_input_has_ended():
    out = io.StringIO()
    lines = ["time_settings 0 2 1", "lz-genmove_analyze b 1", "", "kata-genmove_analyze w 10"]
    assert gtp(GtpConfig(agent="rollout?playouts=20", size="3"), lines, out) == 0
    assert [answer.split("\n")[-1][:5] for answer in out.getvalue().split("\n\n")] == ["= ", "play ", "play ", ""]


def test_lines_can_be_waited_for():
    gate = threading.Event()

    def source():
        yield "first"
        gate.wait()
        yield "second"

    lines = Lines(source())
    assert lines.waits(10) and lines.waits(10)
    read = iter(lines)
    assert next(read) == "first"
    assert not lines.waits(0.001)
    gate.set()
    assert lines.waits(10)
    assert list(read) == ["second"]
