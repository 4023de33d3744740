# SPDX-License-Identifier: Apache-2.0
"""mail/spf as a program that is asked over a pipe, and pyspf over the same tables."""

import collections
import pathlib
import socket
import subprocess
import tempfile
import unittest

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"
SOURCES = ["mail/spf.c", "mail/spf_dns.c", "mail/spf_macro.c", "mail/spf_match.c", "mail/spf_record.c"]
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all"]

Answer = collections.namedtuple("Answer", "result explanation mechanism why lookups voids")


def to_hex(text):
    return "x" + (text if isinstance(text, bytes) else text.encode()).hex()


class Judge:
    """`records`: (name, type, value) with texts, or "DEAD" as type for a name that gets no answer."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="baton-spf-")
        program = pathlib.Path(self.folder.name) / "judge"
        sources = [SRC / name for name in SOURCES] + [pathlib.Path(__file__).with_name("judge.c")]
        base = [path for path in sorted((SRC / "base").glob("*.c")) if not path.stem.endswith(("_test", "_fuzz"))]
        subprocess.run(["gcc", *FLAGS, "-I", SRC, "-o", program, *sources, *base, "-lm"], check=True)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, *words):
        self.process.stdin.write("\t".join(words) + "\n")

    def zone(self, records):
        self.say("new")
        for name, kind, value in records:
            self.say("rr", to_hex(name), kind, to_hex(value))

    def ask(self, ip, helo, sender):
        local, _, domain = sender.rpartition("@")
        self.say("ask", ip, to_hex(helo), to_hex(local), to_hex(domain))
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the program ended: {self.process.wait()}")
        words = line.rstrip("\n").split("\t")
        texts = [bytes.fromhex(word[1:]).decode() for word in words[1:4]]
        return Answer(words[0], *texts, int(words[4]), int(words[5]))

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(20)
        self.folder.cleanup()
        assert status == 0, f"the program ended with {status}"


def pyspf():
    """The module. Without it its name is found all the same: as this folder."""
    import spf
    if not hasattr(spf, "query"):
        raise unittest.SkipTest("python3-spf is not installed")
    return spf


def pyspf_over(records):
    """The module, asking `records` instead of DNS."""
    spf = pyspf()

    def look(name, qtype, strict=True, timeout=20):
        name = name.lower().rstrip(".")
        for _ in range(10):
            alias = None
            for at, kind, value in records:
                if at.lower().rstrip(".") != name:
                    continue
                if kind == "DEAD" and value in ("", qtype):
                    raise spf.TempError("DNS timeout")
                if kind == "CNAME":
                    alias = value
                    yield (name, kind), value
                if kind != qtype:
                    continue
                if kind == "AAAA":
                    value = socket.inet_pton(socket.AF_INET6, value)
                elif kind == "MX":
                    value = (10, value)
                elif kind == "TXT":
                    value = (value if isinstance(value, bytes) else value.encode(),)
                yield (name, kind), value
            if alias is None:
                return
            name = alias.lower().rstrip(".")
    spf.DNSLookup = look
    return spf


def pyspf_result(records, ip, helo, sender):
    """Its result, and its words."""
    spf = pyspf_over(records)
    query = spf.query(i=ip, s=sender, h=helo, receiver="unknown", strict=True)
    result, _, words = query.check()
    return result, words
