"""Functions in processes of their own, which can be killed as nothing inside a process can be."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Longer than a batch takes, so that a kill may come behind its answer, too.
_LONGEST_WORK_S = 0.3


class Died(Exception):
    """The process ended before it had answered."""


class Function:
    """The function `name` of app.py in a process; a new one is started when there is none for an event.

    `busy` is set from an event to its answer, `answered` counts the answers of the process that lives now.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self.busy = Event()
        self.answered = 0
        self.processes = 0
        self._environment = dict(environment)
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def __call__(self, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as the function answers
        """The answer. Raises Died."""
        process = self._living()
        self.busy.set()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(event) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            raise Died from None
        finally:
            self.busy.clear()
        if not answer.endswith("\n"):
            raise Died
        self.answered += 1
        return json.loads(answer)

    def kill(self) -> None:
        """SIGKILL, and no more."""
        process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """End the process, whatever it does."""
        with self._lock:
            if self._process is not None:
                _end(self._process)
                self._process = None

    def _living(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                self.answered = 0
                self.processes += 1
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.function", self.name],
                    cwd=ROOT,
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            return self._process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    # What was written and not read yet cannot be flushed any more.
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        try:
            pipe.close()
        except OSError:
            continue
    process.wait()


class Killer:
    """Kills functions at random, each a moment after it was given an event and not before its first answer.

    A process that never answers anything before it is killed would be killed for ever.
    """

    def __init__(self, functions: Sequence[Function], dice: Random, pause_s: float) -> None:
        self._functions = functions
        self._dice = dice
        self._pause_s = pause_s
        self._ended = Event()
        self.kills: Counter[str] = Counter()
        self.working: Counter[str] = Counter()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends."""
        thread = Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._dice.random() * 2 * self._pause_s):
            ready = [one for one in self._functions if one.answered]
            if not ready:
                continue
            one = self._dice.choice(ready)
            if one.busy.wait(self._pause_s):
                time.sleep(self._dice.random() * _LONGEST_WORK_S)
            self.kills[one.name] += 1
            self.working[one.name] += one.busy.is_set()
            one.kill()
