"""A GTP engine with a fault of your choice: `python fake_gtp.py FAULT [LOG]`. It plays on the first free vertices.

LOG, if given, gets the engine's process id and then every command as it comes in.
"""

import os
import sys
import time


def main(fault: str, log_path: str = os.devnull) -> None:
    taken: set[str] = set()
    vertices: list[str] = []
    with open(log_path, "a", buffering=1) as log:
        print("pid", os.getpid(), file=log)
        for line in sys.stdin:
            command, *arguments = line.split()
            print(*line.split(), file=log)
            answer = ""
            if command in ("boardsize", "rectangular_boardsize"):
                cols, rows = int(arguments[0]), int(arguments[-1])
                vertices = [f"{letter}{row}" for row in range(1, rows + 1) for letter in "ABCDEFGHJ"[:cols]]
            elif command == "clear_board":
                taken.clear()
            elif command == "play":
                taken.add(arguments[1])
            elif command == "genmove":
                answer = next((vertex for vertex in vertices if vertex not in taken), "pass")
                if fault == "crash":
                    sys.exit("the weights are gone")
                elif fault == "silent":
                    time.sleep(60)
                elif fault == "garbage":
                    print("Thinking...", flush=True)
                elif fault == "flood":
                    print("=\n" + "y\n" * 5000, flush=True)
                elif fault == "nonsense":
                    answer = "Z99"
                elif fault == "illegal" and taken:
                    answer = min(taken)
                elif fault == "resign":
                    answer = "resign"
                taken.add(answer)
            refused = fault == "refuse" and command == "komi"
            print("\n? komi is out of fashion\n\n" if refused else f"\n= {answer}\n\n", end="", flush=True)
            if command == "quit":
                return


main(*sys.argv[1:])
