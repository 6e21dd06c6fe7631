"""The clock of a GTP game: what is left to each side, and how much of it a move may take."""

from dataclasses import dataclass, field

SLACK = 0.5  # seconds that are never used: the way to the controller and back, and a search that ends late
AT_ONCE = 0.01  # what a move may take when there is no time left
_CARE = 0.8  # the part of what could be used that is
_FADING = 0.9
_LEAST_MOVES = 10  # for which main time is always kept


@dataclass
class Clock:
    """Main time, and overtime in periods.

    main: seconds; None for no limit. period: seconds of overtime in which `stones` moves are made; with `japanese` one
    move each, and GTP's count of stones is that of the periods left.
    """

    main: float | None = None
    period: float = 0.0
    stones: int = 0
    japanese: bool = False
    _left: dict[int, tuple[float, int]] = field(default_factory=dict)  # colour -> seconds, and stones in overtime
    _over: float = 0.0  # by how much moves have lately taken longer than they were allowed

    def restart(self) -> None:
        """A new game begins."""
        self._left.clear()

    def tell(self, colour: int, seconds: float, stones: int) -> None:
        """What the controller says is left; stones 0 in main time."""
        self._left[colour] = (seconds, 1 if self.japanese and stones else stones)

    def allowed(self, colour: int, moves_to_come: int) -> float | None:
        """The seconds that a move of `colour` may take, of `moves_to_come` of its own; None without a limit."""
        if self.main is None and colour not in self._left:
            return None
        seconds, stones = self._now(colour)
        overtime = 0.0 if stones else self.period / max(self.stones, 1)
        there = seconds + overtime - SLACK
        share = max(0.0, seconds - SLACK) / (stones or max(moves_to_come, _LEAST_MOVES)) + overtime
        return max(AT_ONCE, _CARE * min(share, there) - self._over)

    def spend(self, colour: int, seconds: float, allowed: float | None) -> None:
        """A move of `colour` took so long; what it took beyond what it was allowed is kept back for the next."""
        if allowed is None:
            return
        if allowed > AT_ONCE:
            self._over = max(_FADING * self._over, seconds - allowed)
        left, stones = self._now(colour)
        left -= seconds
        overtime = (self.period, self.stones)
        if stones:
            self._left[colour] = (left, stones - 1) if stones > 1 else overtime
        else:
            self._left[colour] = overtime if left <= 0 and self.period else (max(0.0, left), 0)

    def _now(self, colour: int) -> tuple[float, int]:
        start = (self.main, 0) if self.main or not self.period else (self.period, self.stones)
        return self._left.get(colour, (start[0] or 0.0, start[1]))


def canadian(main: float, period: float, stones: int) -> Clock:
    """GTP's `time_settings`: overtime without stones means no limit at all."""
    return Clock() if period > 0 and stones == 0 else Clock(main, period, stones if period else 0)


def kgs(words: list[str]) -> Clock:
    """The clock of `kgs-time_settings`. Raises ValueError."""
    kind, numbers = words[0].lower(), [float(word) for word in words[1:]]
    if any(not 0 <= number < 1e9 for number in numbers):
        raise ValueError("expected times of 0 or more")
    if kind == "none" and not numbers:
        return Clock()
    if kind == "absolute" and len(numbers) == 1:
        return Clock(numbers[0])
    if kind == "byoyomi" and len(numbers) == 3:
        return Clock(numbers[0], numbers[1], 1, japanese=True)
    if kind == "canadian" and len(numbers) == 3:
        return canadian(numbers[0], numbers[1], int(numbers[2]))
    raise ValueError("expected none, absolute MAIN, byoyomi MAIN PERIOD COUNT or canadian MAIN PERIOD STONES")
