# SPDX-License-Identifier: Apache-2.0
"""baton under test: a configuration in a folder of its own, started as a user would, ended by its process id."""

import json
import os
import pathlib
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from lib import certificate, net
from lib.api import Api, ApiError

ROLES = ("accept", "web", "core", "vault", "resolve", "deliver", "report")
ACCOUNT = "tests"
RUN_AS = "nobody"  # with root's rights the roles give them up, as in a real installation


def binary():
    """The baton that is tested: $BATON, else build/baton in the tree."""
    tree = pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(os.environ.get("BATON", tree / "build" / "baton")).resolve()


def merge(base, more):
    """`more` over `base`, table by table."""
    result = dict(base)
    for key, value in more.items():
        both_tables = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both_tables else value
    return result


def children(pid):
    """Process ids whose parent is `pid`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after_name[1]) == pid and after_name[0] != "Z":
                found.append(int(entry.name))
    return found


class Baton:
    """A relay. `settings`: what differs from the plain configuration; `single`: all roles in one process."""

    def __init__(self, settings=None, single=False, state_folder=None):
        self.single = single
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-test-"))
        self.folder.chmod(0o755)
        self.state = pathlib.Path(state_folder or self.folder / "run")
        self.state.mkdir(exist_ok=True)
        self.log_path = self.folder / "log"
        self.config_path = self.folder / "baton.yaml"
        self.relay_port, self.submission_port, self.submissions_port = (net.free_port() for _ in range(3))
        self.settings = merge(self._plain_settings(), settings or {})
        self.process = None
        self.password = None
        self.api = Api(self.state / "api.sock")
        if os.getuid() == 0:
            shutil.chown(self.state, RUN_AS)
        self.write_config()

    def _plain_settings(self):
        shutil.copy(certificate.cert_file(), self.folder / "cert.pem")
        shutil.copy(certificate.key_file(), self.folder / "key.pem")
        (self.folder / "key.pem").chmod(0o600)
        return {
            "hostname": "relay.test",
            "state_folder": str(self.state),
            "user": RUN_AS if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name,
            "tls": {"cert_file": str(self.folder / "cert.pem"), "key_file": str(self.folder / "key.pem")},
            "sandbox": {"gate": "open"},
            "listeners": [
                {"kind": "relay", "address": f"127.0.0.1:{self.relay_port}"},
                {"kind": "submission", "address": f"127.0.0.1:{self.submission_port}"},
                {"kind": "submissions", "address": f"127.0.0.1:{self.submissions_port}"},
            ],
            "trusted_networks": [{"network": "127.0.0.1/32", "account": ACCOUNT}],
            # Nothing may ask the real DNS: a port where nobody listens.
            "dns": {"servers": [f"127.0.0.1:{net.free_port()}"]},
            "delivery": {"allow_networks": ["127.0.0.0/8", "::1/128"]},
            "spool": {"segment_bytes": "8M", "reserve_bytes": "8M"},
        }

    def write_config(self, settings=None):
        """JSON is YAML too."""
        if settings:
            self.settings = merge(self.settings, settings)
        self.config_path.write_text(json.dumps(self.settings, indent=2) + "\n")

    # --- life -------------------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.stop()
            elif not issubclass(kind, unittest.SkipTest):
                print(self.log_tail(), file=sys.stderr)
        finally:
            self.remove()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, seconds=30):
        seen = len(self.log())
        # It ends with the tests, however they end.
        command = ["setpriv", "--pdeathsig", "TERM", binary(), "serve", "--config", self.config_path]
        if self.single:
            command.append("--single")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        net.wait_until(lambda: self._serves(seen), seconds, lambda: "start of baton\n" + self.log_tail())
        if self.password is None:
            self._make_credential()

    def _serves(self, seen):
        if self.process.poll() is not None:
            raise AssertionError(f"baton ended with {self.process.returncode}\n{self.log_tail()}")
        return "event=serving" in self.log()[seen:]

    def _make_credential(self):
        def try_it():
            try:
                return self.api.post("/v1/credentials", name="client", account=ACCOUNT)
            except ApiError as error:
                if error.status == 404:
                    self.api.post("/v1/accounts", name=ACCOUNT, settings={"state": "active", "identity": "observe"})
                elif error.status != 503:
                    raise
            return None
        self.user = "client"
        self.password = net.wait_until(try_it, 10, "a credential")["secret"]

    def stop(self, seconds=45):
        """Ends it as systemd would; its exit status must be 0."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        assert status == 0, f"baton ended with {status}\n{self.log_tail()}"

    def kill(self):
        """Every process of it, at once."""
        if self.process is None or self.process.poll() is not None:
            return
        pids = [self.process.pid] + children(self.process.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)
        net.wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids), 10, "end of the roles")

    def reload(self, settings=None):
        """Takes a changed configuration while it runs."""
        self.write_config(settings)
        self.process.send_signal(signal.SIGHUP)

    # --- looking at it ----------------------------------------------------------------------------------------

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def events(self, kind):
        """What report wrote of one kind of event: [{key: value}]."""
        return [dict(pair.split("=", 1) for pair in shlex.split(line) if "=" in pair)
                for line in self.log().splitlines() if f" role=report event={kind} " in line]

    def log_tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def role_pids(self):
        """{"core": [pid], …}; roles that are being restarted are missing."""
        found = {}
        for pid in children(self.process.pid):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[1] == b"role":
                found.setdefault(words[2].decode(), []).append(pid)
        return found

    def pss_bytes(self):
        """What each role holds in memory, its share of shared pages included: {"core": bytes, …}."""
        sizes = {}
        pids = {"single": [self.process.pid]} if self.single else self.role_pids()
        for role, processes in pids.items():
            for pid in processes:
                try:
                    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                except OSError:
                    continue
                kib = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
                sizes[role] = sizes.get(role, 0) + kib * 1024
        return sizes

    def queue_is_empty(self):
        try:
            return not self.api.queue()
        except (ApiError, OSError):
            return False

    def wait_for_empty_queue(self, seconds=30):
        net.wait_until(self.queue_is_empty, seconds, lambda: f"an empty queue\n{self.log_tail()}")

    def wait_for_log(self, text, seconds=10):
        """The first line of the log that holds `text`."""
        def find():
            return next((line for line in self.log().splitlines() if text in line), None)
        return net.wait_until(find, seconds, lambda: f"{text!r} in the log\n{self.log_tail()}")

    def cli(self, *words, check=True, user_input=None):
        """What `baton …` prints; with check, it must end with 0."""
        done = subprocess.run([binary(), *words, "--config", self.config_path], input=user_input,
                              capture_output=True, text=True, timeout=30, check=False)
        if check:
            assert done.returncode == 0, f"baton {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done if not check else done.stdout


class Memory:
    """The most that every role held while a `with` block ran."""

    def __init__(self, baton, every=0.05):
        self.baton, self.every, self.most = baton, every, {}
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.done.wait(self.every):
            for role, size in self.baton.pss_bytes().items():
                self.most[role] = max(size, self.most.get(role, 0))

    def __enter__(self):
        self.before = self.baton.pss_bytes()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
