# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line begin with: commands that must end with a certain status."""

import json
import os
import subprocess

from lib import net
from lib.baton import binary
from lib.relay_case import RelayCase

OK, FAILED, USAGE, NOT_FOUND, DENIED, CONFLICT, UNHEALTHY, PARTIAL, TIMEOUT = range(9)

OPERATOR = "root" if os.getuid() == 0 else f"uid:{os.getuid()}"  # as logs name whoever runs the tests
SLOW = {"retry": {"steps": ["1h"], "jitter_percent": 0, "delay_warning": "0"}}  # nothing is retried by itself


def run(*words, user_input=None, seconds=30):
    """`baton words…`, nothing added."""
    return subprocess.run([binary(), *map(str, words)], input=user_input, capture_output=True, text=True,
                          timeout=seconds, check=False)


class CliCase(RelayCase):
    def ended(self, done, status):
        """`done`, whose exit status must be that; what went wrong is said on standard error alone."""
        self.assertEqual(done.returncode, status, f"{done.args}\n{done.stdout}{done.stderr}")
        if status not in (OK, PARTIAL, UNHEALTHY):
            self.assertRegex(done.stderr, r"^baton: ")
        return done

    def cli(self, baton, *words, status=OK):
        return self.ended(run(*words, "--config", baton.config_path), status)

    def rows(self, baton, *words):
        """The answer of a command as JSON."""
        return json.loads(self.cli(baton, *words, "-o", "json").stdout)

    def start_away(self, **settings):
        """A baton whose next hop refuses everything for now, so that mail stays in the queue."""
        settings.setdefault("answers", {"mail": "451 4.3.0 come back later"})
        return self.start_relay(SLOW, **settings)

    def wait_for_state(self, baton, state, count=1):
        """The rows of the queue once `count` recipients are in that state."""
        def look():
            rows = self.rows(baton, "queue", "ls", "--state", state)
            return rows if len(rows) == count else None
        return net.wait_until(look, 10, lambda: f"{count} {state}\n{self.rows(baton, 'queue', 'ls')}")
