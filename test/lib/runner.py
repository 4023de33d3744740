# SPDX-License-Identifier: Apache-2.0
"""Runs unittest cases one after the other: one line each, a time limit each, and a plain closing line."""

import contextlib
import signal
import sys
import time
import traceback
import unittest


class TimeUp(Exception):
    """A test took longer than it may."""


@contextlib.contextmanager
def time_limit(seconds):
    def ring(*_):
        raise TimeUp(f"more than {seconds:.0f} s")
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Lines(unittest.TestResult):
    """Prints as it goes."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0
        self.skips = []

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()

    def _line(self, word, test, behind=""):
        print(f"{word:4} {name_of(test)} ({time.monotonic() - self.begun:.1f} s){behind}", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self._line("ok", test)

    def _bad(self, test, error):
        self.failed += 1
        self._line("FAIL", test)
        print("    " + "".join(traceback.format_exception(*error)).rstrip().replace("\n", "\n    "), flush=True)

    def addError(self, test, error):
        if isinstance(test, unittest.TestCase):
            self._bad(test, error)
            return
        self.failed += 1
        print(f"FAIL {test}\n" + "".join(traceback.format_exception(*error)), flush=True)

    addFailure = _bad

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._bad(subtest, error)

    def addSkip(self, test, reason):
        self.skips.append(reason)
        name = name_of(test) if isinstance(test, unittest.TestCase) else str(test)
        print(f"skip {name}: {reason}", flush=True)


def name_of(test):
    """test_R01_postfix_as_client -> "R01 postfix as client"."""
    if hasattr(test, "test_case"):
        return f"{name_of(test.test_case)} {test.params and dict(test.params) or ''}".rstrip()
    return test.id().rpartition(".")[2].removeprefix("test_").replace("_", " ")


def limited(case, seconds_each, end):
    """The case's method with a time limit; `end`: when the whole run must be over."""
    inside = getattr(case, case._testMethodName)

    def run():
        left = end - time.monotonic()
        if left <= 0:
            raise TimeUp("no time was left for it")
        with time_limit(min(left, getattr(inside, "seconds", seconds_each))):
            inside()
    setattr(case, case._testMethodName, run)
    return case


def seconds(limit):
    """Marks a test that may take longer, or must be faster, than others."""
    def mark(function):
        function.seconds = limit
        return function
    return mark


def cases_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases_of(item)
        else:
            yield item


def run(modules, words=(), seconds_each=60, seconds_all=480):
    """Runs the tests whose names hold one of `words` (all, without any). Returns the exit status."""
    suite = unittest.TestSuite()
    end = time.monotonic() + seconds_all
    for module in modules:
        for case in cases_of(unittest.defaultTestLoader.loadTestsFromModule(module)):
            if not words or any(word in case.id() for word in words):
                suite.addTest(limited(case, seconds_each, end))
    result = _Lines()
    watch = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suite.run(result)
    signal.signal(signal.SIGTERM, watch)
    skipped = f", {len(result.skips)} skipped" if result.skips else ""
    print(f"{result.passed} passed, {result.failed} failed{skipped}", flush=True)
    ran = result.passed + result.failed + len(result.skips)
    return 1 if result.failed or ran == 0 else 0
