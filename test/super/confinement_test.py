# SPDX-License-Identifier: Apache-2.0
"""What each role has and may, as the kernel tells it (P01, P06-P10). For release builds: a build with sanitizers only
logs what it would refuse."""

import os
import pathlib
import re
import unittest

from lib import net
from lib.baton import Baton, ROLES
from lib.client import Client

# What a role may hold besides /dev/null, the log, its loop and its channels, as `ls -l /proc/PID/fd` shows it.
MAY_HOLD = {
    "accept": r"listener (relay|submission|submissions)",
    "web": r"listener api|pipe|anon_inode:\[event(poll|fd)\]",           # libevent's
    "core": r"STATE/spool(/.*)?",
    "vault": r"STATE/vault(/control\.db(-wal|-shm|-journal)?)?",
    "resolve": r"pipe|anon_inode:\[event(poll|fd)\]|pair|udp|tcp",       # libunbound's
    "deliver": r"tcp",
    "report": r"STATE/report(/.*)?",
}
EVERYBODY = r"/dev/null|log|anon_inode:\[event(poll|fd)\]|channel"
LISTENING, SEQPACKET, STREAM = "0A", "0005", "0001"


def sockets(baton):
    """{inode: what that socket is}"""
    kinds = {}
    ports = {baton.relay_port: "relay", baton.submission_port: "submission", baton.submissions_port: "submissions"}
    for family in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path("/proc/net", family).read_text().splitlines()[1:]:
            words = line.split()
            port = int(words[1].rpartition(":")[2], 16)
            kinds[words[9]] = f"listener {ports.get(port, port)}" if words[3] == LISTENING else family.rstrip("6")
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split()
        name = words[7] if len(words) > 7 else ""
        if name == str(baton.state / "api.sock"):
            kinds[words[6]] = "listener api"
        else:
            kinds[words[6]] = {SEQPACKET: "channel", STREAM: "pair"}.get(words[4], "other")
    return kinds


def held(baton, pid):
    """What the descriptors of a process are."""
    kinds, found = sockets(baton), []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if link.startswith("socket:["):
            link = kinds.get(link[8:-1], "pair" if fd != "3" else "channel")
        elif link.startswith("pipe:["):
            link = "pipe"
        found.append(link.replace(str(baton.log_path), "log").replace(str(baton.state), "STATE"))
    return found


def status(pid):
    """/proc/PID/status as a dictionary."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def roles(baton):
    """(role, process id) of each."""
    return [(role, pid) for role, pids in baton.role_pids().items() for pid in pids]


class Confinement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.baton = cls.enterClassContext(Baton())

    def for_each_role(self, check):
        for role, pid in roles(self.baton):
            with self.subTest(role=role):
                check(role, pid)

    def check_descriptors(self, role, pid):
        may = re.compile(f"{EVERYBODY}|{MAY_HOLD[role]}")
        self.assertEqual([what for what in held(self.baton, pid) if not may.fullmatch(what)], [])

    def test_P08_each_role_holds_only_what_it_needs(self):
        self.assertEqual({role for role, _ in roles(self.baton)}, set(ROLES))
        self.for_each_role(self.check_descriptors)

    def talk(self):
        """Over TLS, with a password: accept's key and vault's secret are in use."""
        with Client(self.baton.submission_port, starttls=True, user=(self.baton.user, self.baton.password)) as client:
            client.mail("ann@sender.test", ["bob@sandbox.test"], b"Subject: 1\r\n\r\nHi.\r\n")
            client.quit()

    def test_P08_nor_more_after_mail_and_reloads(self):
        self.talk()
        before = {pid: len(held(self.baton, pid)) for _, pid in roles(self.baton)}
        for _ in range(20):
            self.baton.api.post("/v1/reload")
        self.talk()
        self.for_each_role(self.check_descriptors)

        def as_before():
            return all(len(held(self.baton, pid)) <= before[pid] for _, pid in roles(self.baton))
        net.wait_until(as_before, 5, "no more descriptors than before")

    def test_P06_no_core_dump_and_no_debugger_of_the_same_user(self):
        def check(_, pid):
            self.assertRegex(pathlib.Path(f"/proc/{pid}/limits").read_text(), r"Max core file size +0 +0 ")
            # The kernel gives the files of a process that is not dumpable to root.
            self.assertEqual(os.stat(f"/proc/{pid}/status").st_uid, 0)
        self.for_each_role(check)

    def test_P07_P01_filters_are_in_force(self):
        def check(_, pid):
            for thread in os.listdir(f"/proc/{pid}/task"):
                facts = status(f"{pid}/task/{thread}")
                self.assertEqual((facts["Seccomp"], facts["NoNewPrivs"]), ("2", "1"))
        self.for_each_role(check)

    def test_P01_P10_what_is_in_force_is_told(self):
        # Each role has tried to open, connect, trace and execute what it may not; a success would stand here.
        rows = self.baton.api.items("/v1/status")
        self.assertEqual({row["role"] for row in rows}, set(ROLES))
        for row in rows:
            with self.subTest(role=row["role"]):
                said = row["confinement"]
                self.assertIn("seccomp in force", said)
                self.assertIn("no new privileges yes", said)
                self.assertNotIn("self-test failed", said)
                # A kernel without Landlock is warned of.
                self.assertEqual("Landlock ABI 0" in said, "missing: " in said)
        self.assertEqual(self.baton.log().count("event=confined"), len(ROLES))

    @unittest.skipUnless(os.getuid() == 0, "not as root: nothing was given up")
    def test_P09_no_role_is_root_or_may_become_it(self):
        def check(_, pid):
            facts = status(pid)
            self.assertNotIn("0", facts["Uid"].split() + facts["Gid"].split() + facts["Groups"].split())
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(facts[kind], 16), 0, kind)
        self.for_each_role(check)

    def test_P07_nothing_but_baton_runs(self):
        binary = os.readlink(f"/proc/{self.baton.process.pid}/exe")

        def check(_, pid):
            self.assertEqual(os.readlink(f"/proc/{pid}/exe"), binary)
            self.assertEqual(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(), "")
        self.for_each_role(check)
