# SPDX-License-Identifier: Apache-2.0
"""Octets that no client of ours would send to the API: each is refused in words, and the next request is served."""

import json
import socket
import time

from cli.case import CliCase
from lib.baton import Baton

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
ENDPOINTS_WITH_BODY = (("POST", "/v1/accounts"), ("PATCH", "/v1/accounts/tests"), ("DELETE", "/v1/accounts/tests"),
                       ("POST", "/v1/users"), ("POST", "/v1/accounts/tests/streams"), ("POST", "/v1/domains"),
                       ("POST", "/v1/domains/a.test/transfer"), ("POST", "/v1/credentials"),
                       ("PATCH", "/v1/credentials/client"), ("DELETE", "/v1/credentials/nobody"),
                       ("POST", "/v1/queue/retry"), ("POST", "/v1/queue/hold"), ("POST", "/v1/queue/release"),
                       ("POST", "/v1/queue/drop"), ("POST", "/v1/live"), ("DELETE", "/v1/live"),
                       ("POST", "/v1/reload"), ("POST", "/v1/drain"))
ENDPOINTS = ("/v1/status", "/v1/queue", "/v1/queue/summary", "/v1/accounts", "/v1/accounts/tests", "/v1/credentials",
             "/v1/users", "/v1/streams", "/v1/domains", "/v1/audit", "/v1/observed", "/v1/usage", "/v1/clients/a.test",
             "/v1/sandbox")


def request(method, target, body=b"", headers=JSON):
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return f"{method} {target} HTTP/1.1\r\n".encode() + HOST + (headers if body else b"") + length + b"\r\n" + body


GET = request("GET", "/v1/accounts")


class HttpCase(CliCase):
    @classmethod
    def setUpClass(cls):
        cls.baton = Baton()
        cls.enterClassContext(cls.baton)

    def talk(self, octets, half_close=False):
        """All that comes back until the connection is closed, or is idle after a whole answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(self.baton.api.path))
            try:
                s.sendall(octets)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before it was all sent
            answer = b""
            while True:
                try:
                    more = s.recv(65536)
                except ConnectionResetError:
                    return answer
                except TimeoutError:
                    raise AssertionError(f"neither answer nor end: {octets[:200]!r}: {answer!r}") from None
                answer += more
                if not more:
                    return answer
                head, found, body = answer.partition(b"\r\n\r\n")
                if found and b"Connection: close" not in head and body.endswith(b"\n"):
                    s.settimeout(0.05)  # anything behind the answer would be a second one
                    try:
                        answer += s.recv(65536)
                    except (TimeoutError, ConnectionResetError):
                        pass
                    return answer

    def status_of(self, answer):
        self.assertEqual(answer.count(b"HTTP/1."), 1, answer)
        return int(answer[9:12])

    def refused(self, octets, statuses, **more):
        answer = self.talk(octets, **more)
        self.assertIn(self.status_of(answer), statuses, f"{octets[:200]!r}: {answer!r}")
        body = answer.partition(b"\r\n\r\n")[2]
        if b"application/problem+json" in answer:
            self.assertTrue(json.loads(body)["detail"])
        self.assertIn(b'"items":', self.talk(GET))

    def ask(self, method, target, body):
        return self.talk(request(method, target, body))


class Framing(HttpCase):
    """B12: nothing that two readers could take for different requests."""

    def test_B12_framing(self):
        drop = b'{"all":true}'
        for name, head, body in (
                ("CL and TE", b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + drop),
                ("TE and CL", b"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n", b"0\r\n\r\n" + drop),
                ("CL twice", b"Content-Length: 12\r\nContent-Length: 12\r\n", drop),
                ("CL twice, differing", b"Content-Length: 0\r\nContent-Length: 12\r\n", drop),
                ("CL list", b"Content-Length: 12, 12\r\n", drop),
                ("CL negative", b"Content-Length: -1\r\n", b""),
                ("CL plus", b"Content-Length: +12\r\n", drop),
                ("CL hexadecimal", b"Content-Length: 0xc\r\n", drop),
                ("CL empty", b"Content-Length:\r\n", drop),
                ("CL beyond 64 bits", b"Content-Length: 99999999999999999999999\r\n", drop),
                ("TE twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
                ("TE unknown", b"Transfer-Encoding: gzip\r\n", drop),
                ("TE list", b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
                ("TE blank before colon", b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
                ("TE with a tab", b"Transfer-Encoding:\x0bchunked\r\n", b"0\r\n\r\n"),
                ("folded", b"X-A: a\r\n b\r\nContent-Length : 12\r\n", drop),
                ("bare CR in a field", b"X-A: a\rContent-Length: 12\r\n", drop),
                ("no colon", b"X-A\r\n", b""),
                ("name with a blank", b"X A: b\r\n", b"")):
            with self.subTest(name):
                self.refused(b"POST /v1/queue/drop HTTP/1.1\r\n" + HOST + JSON + head + b"\r\n" + body, (400, 413),
                             half_close=True)

    def test_B12_host(self):
        self.refused(b"GET /v1/accounts HTTP/1.1\r\n\r\n", (400,))
        self.refused(b"GET /v1/accounts HTTP/1.1\r\n" + HOST + HOST + b"\r\n", (400,))
        self.refused(b"GET /v1/accounts HTTP/1.0\r\n\r\n", (400,))

    def test_B12_request_line(self):
        for line in (b"GET /v1/accounts", b"GET  /v1/accounts HTTP/1.1", b"GET /v1/accounts HTTP/9.9", b"",
                     b"get /v1/accounts HTTP/1.1", b"GET /v1/acc\0unts HTTP/1.1", b"\x16\x03\x01\x02",
                     b"EHLO client.test", b"GET v1/accounts HTTP/1.1", b"GET http://x:y:z/ HTTP/1.1",
                     b"GET /v1/accounts#x HTTP/1.1", b"GET /v1//accounts HTTP/1.1", b"GET /v1/accounts/ HTTP/1.1",
                     b"GET /v1/./accounts HTTP/1.1", b"GET /v1/%61ccounts HTTP/1.1",
                     b"GET /v1/accounts/../queue HTTP/1.1",
                     b"PUT /v1/accounts HTTP/1.1", b"TRACE /v1/accounts HTTP/1.1", b"CONNECT x:1 HTTP/1.1",
                     b"DELETE /v1/accounts HTTP/1.1", b"GET /" + b"x" * 100_000 + b" HTTP/1.1"):
            with self.subTest(line[:40]):
                answer = self.talk(line + b"\r\n" + HOST + b"\r\n", half_close=True)
                if answer:  # else closed without a word, as for what is no HTTP at all
                    self.assertIn(self.status_of(answer), (400, 404, 405, 413, 414, 431, 501, 505), answer)
                self.assertIn(b'"items":', self.talk(GET))

    def test_B12_bare_line_feeds(self):
        answer = self.talk(GET.replace(b"\r\n", b"\n"), half_close=True)
        self.assertIn(self.status_of(answer), (200, 400))  # RFC 9112 §2.2 leaves the choice; one answer either way

    def test_B12_chunks(self):
        head = b"POST /v1/accounts HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
        for chunks in (b"10\r\n" + b'{"name":"chunk"}' + b"\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"0x10\r\n",
                       b"ffffffffffffffff\r\nx", b"7fffffffffffffff\r\nx", b"fffff1\r\n" + b"x" * 1000,
                       b"11\r\n" + b'{"name":"chunk"}' + b"\r\n0\r\n\r\n"):
            with self.subTest(chunks[:20]):
                answer = self.talk(head + chunks, half_close=True)
                if answer:  # else closed without a word
                    self.assertIn(self.status_of(answer), (400, 413), answer)
                self.assertIn(b'"items":', self.talk(GET))
        self.assertEqual([row["name"] for row in self.baton.api.items("/v1/accounts")], ["tests"])

    def test_B13_floods(self):
        self.refused(GET[:-2] + b"".join(b"X-%d: y\r\n" % i for i in range(500)) + b"\r\n", (400, 413, 431))
        self.refused(GET[:-2] + b"X: " + b"y" * 100_000 + b"\r\n\r\n", (400, 413, 431))
        self.refused(request("POST", "/v1/accounts", b'{"name":"' + b"x" * 3_000_000 + b'"}'), (400, 413))

    def test_many_connections(self):
        held = []
        try:
            for _ in range(300):
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(5)
                s.connect(str(self.baton.api.path))
                s.sendall(b"GET /v1/acc")  # and no more
                held.append(s)
            self.assertIn(b'"items":', self.talk(GET))
        finally:
            for s in held:
                s.close()

    def test_pipelined_and_cut(self):
        for cut in range(1, len(GET), 7):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(self.baton.api.path))
                s.sendall(GET[:cut])
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(self.baton.api.path))
            s.sendall(GET + GET)
            answer, end = b"", time.monotonic() + 5
            while answer.count(b'"next"') < 2 and time.monotonic() < end:
                answer += s.recv(65536)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 2)


class Bodies(HttpCase):
    """B10, B11: JSON that parsers disagree about, and texts that would break a line."""

    def test_B11_json_on_every_endpoint(self):
        bodies = (b"{", b"[]", b"null", b'"x"', b"7", b"{}{}", b'{"name":"a"}x', b"\xef\xbb\xbf{}",
                  b"[" * 100_000, b'{"name":' * 10_000 + b"1" + b"}" * 10_000,
                  b'{"name":' + b"[" * 40 + b"]" * 40 + b"}",
                  b'{"name":"a","name":"b"}', b'{"reason":"a","reason":"b"}', b'{"all":true,"\\u0061ll":true}',
                  b'{"name":"\\ud800"}', b'{"reason":"\\ud800"}', b'{"reason":"\\udc00\\ud800"}',
                  b'{"reason":"\\u0000"}', b'{"all\\u0000x":true}', b'{"all\\u0000":true}', b'{"reason\\u0000":"x"}',
                  b'{"name":"\xff"}', b'{"reason":"\xc0\xaf"}', b'{"reason":"\xed\xa0\x80"}', b"{'all':true}",
                  b'{"all":true,}', b'{"all":True}', b'{/**/"all":true}', b'{"all":NaN}', b'{"all":1e999}',
                  b'{"all":"yes"}', b'{"all":1}', b'{"all":{}}', b'{"all":[true]}', b'{"all":null}',
                  b'{"reason":"a\nb"}', b'{"all":true', b'{"id":[' + b"1," * 100_000 + b'1]}', b'{"__proto__":{}}')
        for method, target in ENDPOINTS_WITH_BODY:
            for body in bodies:
                with self.subTest(target=target, body=body[:30]):
                    answer = self.ask(method, target, body)
                    self.assertIn(self.status_of(answer), (400, 422), answer)
        self.assertIn(b'"items":', self.talk(GET))
        self.assertEqual([row["name"] for row in self.baton.api.items("/v1/accounts")], ["tests"])

    def test_B11_body_of_a_get(self):
        for target in ENDPOINTS:
            self.refused(request("GET", target, b"{}"), (400,))

    def test_B10_line_ends_and_their_like_in_fields(self):
        for bad in ("a\rb", "a\nb", "a\r\nevent=x", "a\0b", "a\x85b", "a\u2028b", "a\u2029b", "a\x1b[2Jb", "a\x7fb",
                    "a\x9bb"):
            for target, body in (("/v1/accounts", {"name": bad}),
                                 ("/v1/credentials", {"name": bad, "account": "tests"}),
                                 ("/v1/credentials", {"name": "x", "account": bad}),
                                 ("/v1/credentials", {"name": "x", "account": "tests", "settings": {"note": bad}}),
                                 ("/v1/queue/drop", {"all": True, "silent": True, "reason": bad}),
                                 ("/v1/queue/hold", {"all": True, "reason": bad}),
                                 ("/v1/queue/retry", {"all": True, "from": bad}),
                                 ("/v1/queue/retry", {"all": True, "to": bad}),
                                 ("/v1/queue/retry", {"all": True, "site": bad}),
                                 ("/v1/live", {"reason": bad})):
                with self.subTest(target=target, bad=bad):
                    answer = self.ask("POST", target, json.dumps(body).encode())
                    self.assertEqual(self.status_of(answer), 422, answer)
        log = self.baton.log()
        self.assertFalse([line for line in log.splitlines() if line.startswith("event=x")])
        self.assertNotIn("\x1b", log)

    def test_B13_queries(self):
        for query in ("limit=0", "limit=-1", "limit=99999999999999999999", "limit=1&limit=2", "limit", "x=1", "after=x",
                      "from=%", "from=%0", "from=%zz", "from=%0d%0a", "from=%00", "from=%ff", "to=%c0%af", "limit=%31%",
                      "from=" + "x" * 321, "account=tests", "all=true"):
            with self.subTest(query):
                self.refused(request("GET", f"/v1/queue?{query}"), (400, 422))
        self.assertEqual(self.status_of(self.talk(request("GET", "/v1/queue?from=a%2Bb%40c&limit=%31"))), 200)
        for target in ("/v1/queue/%2e%2e", "/v1/queue/..", "/v1/queue/x%2fwhy", "/v1/sandbox/x", "/v1/sandbox/-1",
                       "/v1/queue/", "/v1", "/", "/v2/queue"):
            with self.subTest(target):
                self.refused(request("GET", target), (404,))
