# SPDX-License-Identifier: Apache-2.0
"""An SMTP client that says what a test tells it to, octet by octet if need be."""

import base64
import socket

from lib import certificate


class Gone(Exception):
    """The server closed the connection."""


class Client:
    """One session. `user`: (name, password), sent over TLS. `context`: of a client with a certificate of its own;
    `source`: the address that it comes from."""

    def __init__(self, port, address="127.0.0.1", implicit_tls=False, starttls=False, user=None, hello="client.test",
                 seconds=30, context=None, source=None):
        self.context = context or certificate.client_context()
        self.socket = socket.create_connection((address, port), seconds, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if implicit_tls:
            self._encrypt()
        self.input = self.socket.makefile("rb")
        self.greeting = self.reply()
        if hello:
            self.extensions = self.ask(f"EHLO {hello}")
        if starttls:
            assert self.ask("STARTTLS").startswith("220"), "STARTTLS refused"
            self._encrypt()
            self.input = self.socket.makefile("rb")
            self.extensions = self.ask(f"EHLO {hello}")
        if user:
            plain = base64.b64encode(f"\0{user[0]}\0{user[1]}".encode()).decode()
            answer = self.ask(f"AUTH PLAIN {plain}")
            assert answer.startswith("235"), answer

    def _encrypt(self):
        self.socket = self.context.wrap_socket(self.socket, server_hostname="localhost")

    def send(self, octets):
        self.socket.sendall(octets)

    def reply(self):
        """One reply, its lines joined by \\n."""
        lines = []
        while True:
            line = self.input.readline()
            if not line.endswith(b"\r\n"):
                raise Gone(f"after {lines!r}")
            lines.append(line[:-2].decode("utf-8", "replace"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def ask(self, line):
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def mail(self, sender, recipients, content, mail_parameters="", rcpt_parameters=""):
        """One transaction, pipelined; returns (replies to RCPT, last reply). `content` ends with CRLF."""
        commands = [f"MAIL FROM:<{sender}>{mail_parameters}"]
        commands += [f"RCPT TO:<{recipient}>{rcpt_parameters}" for recipient in recipients] + ["DATA"]
        self.send("".join(command + "\r\n" for command in commands).encode())
        first = self.reply()
        to_each = [self.reply() for _ in recipients]
        data = self.reply()
        if not data.startswith("354"):
            return to_each, first if not first.startswith("250") else data
        self.send(dot_stuffed(content) + b".\r\n")
        return to_each, self.reply()

    def quit(self):
        answer = self.ask("QUIT")
        self.close()
        return answer

    def close(self):
        self.input.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def dot_stuffed(content):
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..")


def queue_id(reply):
    """The id in "250 2.0.0 queued as ID"."""
    assert reply.startswith("250 2.0.0 queued as "), reply
    return reply.split()[-1]
