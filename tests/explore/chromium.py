"""Debian's Chromium, headless, spoken to by chromedriver's HTTP interface (WebDriver)."""

import base64
import contextlib
import shutil
import subprocess
import time
from pathlib import Path

import httpx

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,800",
)  # fmt: skip


class Chromium:
    """One browser with one tab.

    :param folder: Where it keeps its profile.
    """

    def __init__(self, folder):
        self._driver = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        line = next(line for line in self._driver.stdout if "started successfully on port" in line)
        port = line.rstrip(". \n").rpartition(" ")[2]
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        options = {"binary": BROWSER, "args": [*FLAGS, f"--user-data-dir={folder}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._client.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made.json()['value']['sessionId']}"

    def _post(self, path, **given):
        answer = self._client.post(f"{self._session}/{path}", json=given).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer and "stacktrace" in answer), answer["message"]
        return answer

    def open(self, url):
        self._post("url", url=url)

    def run(self, script, *given):
        """Return what a script returns in the page."""
        return self._post("execute/sync", script=script, args=list(given))

    def wait(self, condition, *given, seconds=30):
        """Wait until an expression is true in the page; return its value."""
        until = time.monotonic() + seconds
        while not (found := self.run(f"return {condition}", *given)):
            assert time.monotonic() < until, f"{condition}: {self.run('return document.body.innerText.slice(0, 500)')}"
            time.sleep(0.02)
        return found

    def press(self, *keys):
        """Press keys one after the other, where the focus is."""
        acts = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._post("actions", actions=[{"type": "key", "id": "keyboard", "actions": acts}])

    def draw(self, points):
        """Move the pressed mouse along points of the window."""

        def move(x, y):
            return {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}

        acts = [move(*points[0]), {"type": "pointerDown", "button": 0}, *(move(*one) for one in points[1:])]
        acts.append({"type": "pointerUp", "button": 0})
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": acts}
        self._post("actions", actions=[mouse])

    def size(self, width, height, ratio=1):
        self._post("goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride",
                   params={"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": False})  # fmt: skip

    def picture(self):
        """Return what is shown, as PNG."""
        return base64.b64decode(self._client.get(f"{self._session}/screenshot").json()["value"])

    def processes(self):
        """Return the numbers of the browser's processes."""
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        found = {self._driver.pid}
        while more := {one for one, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self._driver.pid}

    def complaints(self):
        """Return what the browser has to complain of: errors of scripts, what the policy forbids."""
        return [one["message"] for one in self._post("se/log", type="browser") if one["level"] == "SEVERE"]

    def close(self):
        self._client.delete(self._session)
        self._client.close()
        self._driver.terminate()
        self._driver.wait()
        self._driver.stdout.close()
