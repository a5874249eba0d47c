"""CPU seconds of a test run, child processes included: their sum, and the tests that take most of them.

Seconds of the processor are what a run costs wherever it runs; how long it lasts depends on what else a machine does.
No test fails by them.
"""

import contextlib
import os

import pytest

BUDGET = 360.0
"""CPU seconds that the whole suite is to take on two cores."""
LONG = 5.0
"""CPU seconds from which on a test is listed."""
KEY = "cpu_seconds"


def used():
    """Return the CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def of_children_that_still_run():
    try:
        import psutil
    except ImportError:
        return 0.0
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            total += times.user + times.system
    return total


class CpuSeconds:
    """A plugin that adds up what all workers of a run have used and says it at the end."""

    def __init__(self):
        self.tests, self.workers = {}, 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        before = used()
        done = yield
        self.tests[item.nodeid] = used() - before
        return done

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        output = getattr(session.config, "workeroutput", None)
        if output is not None:  # a worker, which can tell nobody but the process that started it
            longest = {name: spent for name, spent in self.tests.items() if spent >= LONG}
            output[KEY] = {"total": used() + of_children_that_still_run(), "tests": longest}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        """Take what a worker tells; one that crashed tells nothing."""
        told = getattr(node, "workeroutput", {}).get(KEY, {"total": 0.0, "tests": {}})
        self.workers += told["total"]
        self.tests |= told["tests"]

    def pytest_terminal_summary(self, terminalreporter):
        times = os.times()
        # Workers have told of themselves, whether they have ended or not.
        total = times.user + times.system + self.workers if self.workers else used() + of_children_that_still_run()
        terminalreporter.write_sep("-", f"CPU: {total:.0f} s; the whole suite is to take {BUDGET:.0f} s")
        for name, spent in sorted(self.tests.items(), key=lambda one: -one[1]):
            if spent >= LONG:
                terminalreporter.write_line(f"{spent:6.1f} s  {name}")
