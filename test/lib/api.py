# SPDX-License-Identifier: Apache-2.0
"""baton's JSON API over its UNIX socket, as any program would use it."""

import http.client
import json
import socket
import urllib.parse


class ApiError(Exception):
    """The relay answered with a problem."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Api:
    def __init__(self, path):
        self.path = path

    def call(self, method, target, body=None):
        """The answer's JSON. ApiError when it is a problem, OSError when nobody is there."""
        connection = _UnixConnection(self.path)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = json.loads(answer.read() or b"{}")
        except http.client.HTTPException as error:
            raise OSError(f"{method} {target}: {error!r}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiError(answer.status, content)
        return content

    def items(self, target, **query):
        """All items of a list, page by page."""
        found, after = [], None
        while True:
            fields = dict(query, **({"after": after} if after else {}))
            page = self.call("GET", target + ("?" + urllib.parse.urlencode(fields) if fields else ""))
            found += page["items"]
            after = page.get("next")
            if not after:
                return found

    def post(self, target, **body):
        return self.call("POST", target, body)

    def queue(self, **query):
        return self.items("/v1/queue", limit=1000, **query)

    def sandbox(self):
        return self.items("/v1/sandbox", limit=1000)

    def sandbox_message(self, number):
        """The message as the inbox keeps it."""
        rows = sorted((row for row in self.items(f"/v1/sandbox/{number}") if row["part"] > 0),
                      key=lambda row: row["part"])
        return "".join(row["text"] for row in rows)
