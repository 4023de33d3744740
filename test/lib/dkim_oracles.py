# SPDX-License-Identifier: Apache-2.0
"""Three programs of others that judge DKIM signatures: dkimpy, Mail::DKIM, OpenDKIM's library.

Each gets whole messages as octets and the key records as {"selector._domainkey.domain": "v=DKIM1; …"}; DNS is not
asked. Each answers, message by message, with a Verdict for each signature, in the order of their fields. Mail::DKIM
knows no Ed25519: its verdict on those is no failure of theirs (judge() knows that).

    with Oracles(records) as oracles:
        print(oracles.judge(message, ["rsa-sha256", "ed25519-sha256"]))
"""

import contextlib
import ctypes
import ctypes.util
import pathlib
import re
import subprocess
import tempfile
import typing

import dkim

PERL = pathlib.Path(__file__).with_name("mail_dkim.pl")


class Verdict(typing.NamedTuple):
    algorithm: str
    domain: str
    selector: str
    good: bool
    why: str


class Dkimpy:
    name = "dkimpy"
    algorithms = ("rsa-sha256", "ed25519-sha256")

    def __init__(self, records, folder):
        self.records = records

    def _record(self, name, timeout=0):
        return self.records.get(name.decode().rstrip("."), "").encode()

    def verify(self, message):
        judge = dkim.DKIM(message)
        fields = [value for name, value in judge.headers if name.lower() == b"dkim-signature"]
        found = []
        for number, field in enumerate(fields):
            tags = dkim.util.parse_tag_value(field)
            good, why = False, "it does not match"
            try:
                good = judge.verify(idx=number, dnsfunc=self._record)
            except dkim.DKIMException as error:
                why = str(error)
            found.append(Verdict(tags[b"a"].decode(), tags[b"d"].decode(), tags[b"s"].decode(), good, why))
        return found

    def stop(self):
        pass


class MailDkim:
    name = "Mail::DKIM"
    algorithms = ("rsa-sha256",)

    def __init__(self, records, folder):
        (folder / "records").write_text("".join(f"{name} {record}\n" for name, record in records.items()))
        self.process = subprocess.Popen(["perl", PERL, folder / "records"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def verify(self, message):
        self.process.stdin.write(b"%d\n%s" % (len(message), message))
        self.process.stdin.flush()
        found = []
        while line := self.process.stdout.readline().decode().rstrip("\n"):
            algorithm, domain, selector, result, why = line.split(" ", 4)
            found.append(Verdict(algorithm, domain, selector, result == "pass", why))
        if self.process.poll() is not None:
            raise AssertionError("Mail::DKIM ended")
        return found

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


class OpenDkim:
    """The library that opendkim and opendkim-testmsg are made of; it can read keys from a file."""
    name = "OpenDKIM"
    algorithms = ("rsa-sha256", "ed25519-sha256")
    # opendkim/dkim.h
    SETOPT, QUERYMETHOD, QUERYINFO, QUERY_FILE = 1, 6, 7, 1
    PASSED, MATCHES = 0x04, 0

    def __init__(self, records, folder):
        found = ctypes.util.find_library("opendkim")
        if not found:
            raise AssertionError("libopendkim is not installed: see packaging/packages.test")
        self.lib = lib = ctypes.CDLL(found)
        lib.dkim_init.restype = lib.dkim_verify.restype = ctypes.c_void_p
        for function in (lib.dkim_sig_getalgorithm, lib.dkim_sig_getdomain, lib.dkim_sig_getselector,
                         lib.dkim_sig_geterrorstr):
            function.restype = ctypes.c_char_p
            function.argtypes = [ctypes.c_void_p]
        lib.dkim_sig_geterrorstr.argtypes = [ctypes.c_int]
        for function in (lib.dkim_sig_getflags, lib.dkim_sig_getbh, lib.dkim_sig_geterror, lib.dkim_eoh, lib.dkim_free):
            function.argtypes = [ctypes.c_void_p]
        lib.dkim_options.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
        lib.dkim_verify.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
        for function in (lib.dkim_header, lib.dkim_body):
            function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        lib.dkim_eom.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        lib.dkim_getsiglist.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        lib.dkim_sig_process.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self.handle = lib.dkim_init(None, None)
        keys = folder / "keys"
        keys.write_text("".join(f"{name} {record}\n" for name, record in records.items()))
        method = ctypes.c_int(self.QUERY_FILE)
        path = ctypes.create_string_buffer(str(keys).encode())
        for option, value in ((self.QUERYMETHOD, method), (self.QUERYINFO, path)):
            status = lib.dkim_options(self.handle, self.SETOPT, option, ctypes.byref(value), ctypes.sizeof(value))
            assert status == 0, f"dkim_options {option}: {status}"

    def _verdict(self, judge, signature):
        lib = self.lib
        lib.dkim_sig_process(judge, signature)
        good = bool(lib.dkim_sig_getflags(signature) & self.PASSED) and lib.dkim_sig_getbh(signature) == self.MATCHES
        why = lib.dkim_sig_geterrorstr(lib.dkim_sig_geterror(signature)) or b""
        return Verdict(lib.dkim_sig_getalgorithm(signature).decode(), lib.dkim_sig_getdomain(signature).decode(),
                       lib.dkim_sig_getselector(signature).decode(), good,
                       f"{why.decode()}, body hash {lib.dkim_sig_getbh(signature)}")

    def _hear(self, judge, message):
        """As a mail server tells its milter: field by field, and with a line's end at the end, which DATA always has
        and without which this library finds no body."""
        lib = self.lib
        section, _, body = message.partition(b"\r\n\r\n")
        for field in re.split(rb"\r\n(?![ \t])", section.removesuffix(b"\r\n")):
            lib.dkim_header(judge, field, len(field))
        lib.dkim_eoh(judge)
        if body:
            body = body.removesuffix(b"\r\n") + b"\r\n"
            lib.dkim_body(judge, body, len(body))
        lib.dkim_eom(judge, None)

    def verify(self, message):
        lib = self.lib
        status = ctypes.c_int()
        judge = lib.dkim_verify(self.handle, b"test", None, ctypes.byref(status))
        assert judge, f"dkim_verify: {status.value}"
        try:
            self._hear(judge, message)
            signatures, count = ctypes.POINTER(ctypes.c_void_p)(), ctypes.c_int()
            lib.dkim_getsiglist(judge, ctypes.byref(signatures), ctypes.byref(count))
            return [self._verdict(judge, signatures[i]) for i in range(count.value)]
        finally:
            lib.dkim_free(judge)

    def stop(self):
        pass


class Oracles(contextlib.AbstractContextManager):
    KINDS = (Dkimpy, MailDkim, OpenDkim)

    def __init__(self, records, kinds=KINDS):
        self.folder = tempfile.TemporaryDirectory(prefix="baton-dkim-")
        self.all = [kind(records, pathlib.Path(self.folder.name)) for kind in kinds]

    def verify(self, message):
        """{name of the oracle: [Verdict]}"""
        return {oracle.name: oracle.verify(message) for oracle in self.all}

    def judge(self, message, signatures, others=0):
        """What is wrong with it, in words, empty when nothing is: signatures of these algorithms must come first, in
        that order, and be good to every oracle that knows them; `others` may follow, whatever they are worth."""
        wrong = []
        for oracle in self.all:
            verdicts = oracle.verify(message)
            ours = verdicts[:len(signatures)]
            if [verdict.algorithm for verdict in ours] != list(signatures) or len(verdicts) > len(ours) + others:
                wrong.append(f"{oracle.name} sees {[verdict.algorithm for verdict in verdicts]}")
            wrong += [f"{oracle.name}: {verdict.algorithm} of {verdict.domain}: {verdict.why}" for verdict in ours
                      if verdict.algorithm in oracle.algorithms and not verdict.good]
        return wrong

    def __exit__(self, *_):
        for oracle in self.all:
            oracle.stop()
        self.folder.cleanup()
