"""What a worker of xdist tells of a test: how it ended, and not each step on the way, which took half a millisecond."""

import pytest

UNREAD = ("logstart", "logfinish")
SHORT = 0.005
"""Seconds below which `--durations` lists nothing."""


def is_read(event, data):
    """Tell whether anything is made of a message, where tests are dots: not of a quick, silent, passed set-up."""
    if event != "testreport":
        return event not in UNREAD
    silent = data["outcome"] == "passed" and not data["sections"] and data["duration"] < SHORT
    return data["when"] == "call" or not silent


class FewMessages:
    """A plug-in for workers, of runs that name no tests and write no file of results."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session):
        config = session.config
        if not hasattr(config, "workerinput") or config.get_verbosity() > 0 or config.getoption("xmlpath", None):
            return
        (worker,) = (plugin for plugin in config.pluginmanager.get_plugins() if hasattr(plugin, "run_one_test"))
        send = worker.sendevent

        def send_what_is_read(name, **told):
            if is_read(name, told.get("data")):
                send(name, **told)

        worker.sendevent = send_what_is_read
