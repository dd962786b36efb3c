"""Starts the tools, by argument vectors, and makes exceptions of their errors."""

from __future__ import annotations

import json
import logging
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

logger = logging.getLogger("filigree")

Value = Union[None, bool, int, float, str, "os.PathLike[str]", Sequence[Any], Mapping[str, Any]]
"""What an option takes: `None` leaves it out, a sequence is a list, a mapping is name=value pairs."""

Progress = Union[bool, Callable[[str], None]]
"""Whether to show on standard error what a tool says while it works; or a function that gets each such line."""

BUNDLE = pathlib.Path(__file__).resolve().parent / "bundle"
# Options that may be given again, once for each value; lists of all others are separated by commas.
_REPEATED = {"exclude", "delay", "focus-output", "focus-input"}
# Options of two words.
_TWO_WORDS = {"explain"}
# Options that `False` turns off; of others it only says that they are not given.
_INVERTIBLE = {"skip", "input-skip", "average", "smooth"}


class FiligreeWarning(UserWarning):
    """What a tool warns of."""


class FiligreeError(Exception):
    """A tool failed.

    Attributes:
        message: what the tool said, without "error:" and its own name.
        exit_code: after sysexits, see the subclasses; negative for the number of a signal.
        tool: its name.
        arguments: what it was given.
    """

    def __init__(self, message: str, exit_code: int, tool: str, arguments: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.tool = tool
        self.arguments = list(arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.exit_code, self.tool, self.arguments)


class UsageError(FiligreeError, ValueError):
    """64: an option or argument is wrong."""


class DataError(FiligreeError, ValueError):
    """65: the data are wrong; the message says where."""


class InputMissing(FiligreeError, LookupError):
    """66: a file or folder is missing or cannot be read."""


class ProgramMissing(FiligreeError):
    """69: another program is missing or fails: gnuplot, which draws charts, or the tool itself."""


class OutputExists(FiligreeError):
    """73: an output is there already (`force=True` replaces it), or cannot be made."""


class WriteFailed(FiligreeError):
    """74: writing failed, for example on a full disk."""


_ERRORS: dict[int, type[FiligreeError]] = {
    64: UsageError,
    65: DataError,
    66: InputMissing,
    69: ProgramMissing,
    73: OutputExists,
    74: WriteFailed,
}


def find(tool: str) -> pathlib.Path:
    """Where a tool is: in the folder that the variable FILIGREE_TOOLS names, else in this package, else on the PATH.

    Raises:
        ProgramMissing: where it is in none of them.
    """
    chosen = os.environ.get("FILIGREE_TOOLS")
    for folder in [pathlib.Path(chosen)] if chosen else [BUNDLE / "bin"]:
        if os.access(folder / tool, os.X_OK):
            return folder / tool
    # What this package itself installed would only come back here.
    own = pathlib.Path(sys.argv[0]).resolve()
    found = None if chosen else shutil.which(tool)
    if found and pathlib.Path(found).resolve() != own and not _is_script(found):
        return pathlib.Path(found)
    place = f"in {chosen} (FILIGREE_TOOLS)" if chosen else "in this package or on the PATH"
    raise ProgramMissing(
        f"{tool} is not {place}; install the wheel for this system, or the tools (Scripts/install)", 69, tool
    )


def _is_script(path: str) -> bool:
    """Whether a program begins with "#!", as the starters of Python packages do."""
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def words(options: Mapping[str, Value]) -> list[str]:
    """Options as a tool reads them: `final_learning_rate=1e-4` is --final-learning-rate=0.0001."""
    result: list[str] = []
    for key, value in options.items():
        name = key.rstrip("_").replace("_", "-")
        if value is None:
            continue
        if isinstance(value, bool):
            if value:
                result.append(f"--{name}")
            elif name in _INVERTIBLE:
                result.append(f"--no-{name}")
            continue
        items = _items(value)
        if name in _TWO_WORDS:
            result += [f"--{name}", *items]
        elif name in _REPEATED:
            result += [f"--{name}={item}" for item in items]
        else:
            result.append(f"--{name}={','.join(items)}")
    return result


def _items(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}={_text(item)}" for key, item in value.items()]
    if isinstance(value, (str, os.PathLike)) or not isinstance(value, Iterable):
        return [_text(value)]
    return [_text(item) for item in value]


def _text(value: Any) -> str:
    """A word; numbers in the shortest way that reads back as the same number."""
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if hasattr(value, "item") and callable(value.item):
        value = value.item()  # NumPy's numbers
    return repr(value) if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Output:
    """What a tool printed.

    Attributes:
        data: standard output.
        notes: what it said beside: what was read, assumed, left out.
    """

    data: bytes
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.data.decode("utf-8")

    def json(self) -> Any:
        return json.loads(self.data)


def run(tool: str, arguments: Sequence[str | os.PathLike[str]] = (), *, progress: Progress = False, **options: Any) -> Output:
    """Runs a tool: `run("train", ["data.nc"], members=3, output="model")` is `filigree-train data.nc --members=3 …`.

    Args:
        tool: its name, with or without `filigree-`.
        arguments: words that are no options, subcommands and files.
        progress: see `Progress`.
        options: the tool's options, with `_` for `-`.

    Raises:
        FiligreeError: a subclass of it by the tool's exit code.
    """
    name = tool if tool.startswith("filigree") else f"filigree-{tool}"
    command = [str(find(name)), *(os.fspath(word) for word in arguments), *words(options)]
    listener = _Listener(progress)
    code, data = _execute(command, listener)
    if code:
        lines = listener.notes
        begin = next((k for k, line in enumerate(lines) if line.startswith("error: ")), None)
        usage = next((k for k, line in enumerate(lines) if line.startswith("usage: ")), None)
        said = "\n".join(lines[begin or 0 : usage])
        message = said.removeprefix("error: ").removeprefix(f"{name}: ")
        if code < 0:
            message = f"{name} was ended by {signal.Signals(-code).name}" + (f": {message}" if message else "")
        raise _ERRORS.get(code, FiligreeError)(message or f"{name} ended with {code}", code, name, command[1:])
    for line in listener.notes:
        if line.startswith("warning: "):
            warnings.warn(line.removeprefix("warning: "), FiligreeWarning, stacklevel=3)
    return Output(data, tuple(listener.notes))


class _Listener:
    """Gets what a tool says on standard error: lines that stay, and a line of progress that is written over."""

    def __init__(self, progress: Progress) -> None:
        self.notes: list[str] = []
        self.progress = progress

    def line(self, text: str) -> None:
        if not text:
            return
        self.notes.append(text)
        logger.info("%s", text)
        if callable(self.progress):
            self.progress(text)
        elif self.progress:
            print(f"\r{text}", file=sys.stderr, flush=True)

    def passing(self, text: str) -> None:
        if callable(self.progress):
            self.progress(text)
        elif self.progress:
            print(f"\r{text:<79}", end="", file=sys.stderr, flush=True)

    def listen(self, descriptor: int) -> None:
        """Reads until the tool has ended. A line of progress is preceded by "return, erase"."""
        rest = b""
        while chunk := _read(descriptor):
            rest = (rest + chunk).replace(b"\r\n", b"\n")
            *lines, rest = rest.split(b"\n")
            for line in lines:
                self.line(line.split(b"\r\x1b[K")[-1].decode("utf-8", "replace"))
            *passing, last = rest.split(b"\r\x1b[K")
            if passing and last:
                self.passing(last.decode("utf-8", "replace"))
            if passing:
                rest = b"\r\x1b[K" + last
        self.line(rest.split(b"\r\x1b[K")[-1].decode("utf-8", "replace"))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # a terminal whose other end was closed
        return b""


def _execute(command: list[str], listener: _Listener) -> tuple[int, bytes]:
    """Exit code and standard output. The tool is in a session of its own: Ctrl-C is told to it once, from here."""
    # A tool shows progress only to a terminal.
    reads, writes = pty.openpty() if listener.progress else os.pipe()
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writes, start_new_session=True
        )
    except OSError as error:
        os.close(reads)
        raise ProgramMissing(f"{command[0]} cannot be started: {error.strerror}", 69, pathlib.Path(command[0]).name) from error
    finally:
        os.close(writes)
    ear = threading.Thread(target=listener.listen, args=(reads,), daemon=True)
    ear.start()
    try:
        data, _ = process.communicate()
    except BaseException:
        # It keeps what it has done, as at a terminal, and ends.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except BaseException:
            process.kill()
            process.wait()
            raise
        raise
    finally:
        ear.join()
        os.close(reads)
    return process.returncode, data


