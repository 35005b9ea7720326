"""Split a command given as one text, as compose does."""

from __future__ import annotations

_SPACE = " \t\r\n"
_STOP = ";&|<>"


class UnfinishedCommand(ValueError):
    """A quote or bracket of a command is not closed, or not opened."""


def split_command(line: str) -> tuple[list[str], str]:
    """Return the words of ``line`` and what compose cuts off; raise UnfinishedCommand.

    No shell runs the words: compose stops at the first ``;``, ``&``, ``|``, ``<`` or ``>`` outside quotes.
    """
    splitter = _Splitter(line)
    for at, char in enumerate(line):
        if splitter.stops(char):
            return splitter.finish(char), line[at:]
        splitter.feed(char)
    return splitter.finish(""), ""


class _Splitter:
    """The state between two characters; the four kinds of quotes open and close on their own."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.words: list[str] = []
        self.word = ""
        self.started = False
        self.escaped = False
        self.open: set[str] = set()

    def stops(self, char: str) -> bool:
        return char in _STOP and not self.open and not self.escaped

    def feed(self, char: str) -> None:
        if self.escaped:
            self.escaped = False
            self.add(char)
        elif char == "\\" and "'" not in self.open:
            self.escaped = True
        elif char in _SPACE and not self.open:
            self.end_word()
        elif char in "\"'" and not self.open & {"$(", '"' if char == "'" else "'"}:
            self.started = self.started or char in self.open
            self.open ^= {char}
        else:
            self.substitution(char)
            self.add(char)

    def add(self, char: str) -> None:
        self.word += char
        self.started = True

    def substitution(self, char: str) -> None:
        """Follow ``$(…)`` and backquotes, which stay as they are: nothing runs them."""
        if char == "`" and not self.open & {"'", '"', "$("}:
            self.open ^= {char}
        if char in "()" and not self.open & {"'", '"', "`"}:
            if char == "(" and ("$(" in self.open or not self.word.endswith("$")):
                raise UnfinishedCommand(f"a ( in {self.line!r} is neither quoted nor part of $(…)")
            self.open ^= {"$("}

    def end_word(self) -> None:
        if self.started:
            self.words.append(self.word)
        self.word, self.started = "", False

    def finish(self, stop: str) -> list[str]:
        if self.escaped or self.open:
            raise UnfinishedCommand(f"the command {self.line!r} does not end: a quote or bracket stays open")
        # In `2>file` the digit belongs to the redirection.
        if not (stop == ">" and self.word[:1].isdigit()):
            self.end_word()
        return self.words
