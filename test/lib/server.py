# SPDX-License-Identifier: Apache-2.0
"""A scripted SMTP or LMTP server: takes mail as told, or stalls, drops, splits, refuses and lies at any stage.

    server = Server(answers={"rcpt": ["451 4.3.0 later", "250 2.1.5 ok"]})

`answers` names a stage (connect, ehlo, helo, starttls, auth, mail, rcpt, data, content, rset, quit, other) and gives a
reply, an action below, a function (session, argument) -> reply or action, or a list of these: one a time, the last
repeats. Stages that it does not name are done properly."""

import base64
import dataclasses
import socket
import struct
import threading
import time

from lib import certificate, net

EXTENSIONS = ("PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "ENHANCEDSTATUSCODES")


class Drop:
    """Closes the connection instead of replying."""


class Reset:
    """Resets the connection instead of replying."""


@dataclasses.dataclass
class Stall:
    """Replies nothing for so long, then as if nothing had been; 0 seconds: never."""
    seconds: float = 0


@dataclasses.dataclass
class Split:
    """Sends the reply an octet at a time."""
    reply: str
    pause: float = 0.002


@dataclasses.dataclass
class Raw:
    """These octets and nothing else."""
    octets: bytes


@dataclasses.dataclass
class ThenDrop:
    """A reply, then the end of the connection."""
    reply: str


@dataclasses.dataclass
class Message:
    """One transaction that the server answered with 250."""
    sender: str
    sender_parameters: list
    recipients: list          # [(address, [parameter, …])]
    content: bytes            # without dot-stuffing
    helo: str
    tls: bool
    user: str
    session: int
    by_bdat: bool

    def addresses(self):
        return [address for address, _ in self.recipients]


class Closed(Exception):
    pass


class Session:
    """One connection."""

    def __init__(self, server, connection, number):
        self.server, self.number = server, number
        self.tls = server.implicit_tls
        self.helo = self.user = ""
        self.commands = []
        self._take_connection(connection)
        self._forget_transaction()

    def _take_connection(self, connection):
        self.connection = connection
        self.input = connection.makefile("rb")

    def _forget_transaction(self):
        self.sender, self.sender_parameters, self.recipients, self.chunks = None, [], [], []

    # --- talking ----------------------------------------------------------------------------------------------

    def run(self):
        try:
            self.say("connect", "", f"220 {self.server.name} ready")
            while True:
                line = self.input.readline(100_000)
                if not line.endswith(b"\r\n"):
                    raise Closed
                self.command(line[:-2].decode("utf-8", "replace"))
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.input.close()
            self.connection.close()

    def send(self, reply):
        self.connection.sendall(reply.encode() + b"\r\n")

    def say(self, stage, argument, proper):
        """Answers as the script says, else with `proper`; returns the code that the client saw, 0 for none."""
        answer = self.server.scripted(stage, self, argument)
        if isinstance(answer, Stall):
            self.server.pause(answer.seconds or 3600)
            answer = proper
        if isinstance(answer, Drop):
            raise Closed
        if isinstance(answer, Reset):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Closed
        if isinstance(answer, Raw):
            self.connection.sendall(answer.octets)
            return 0
        if isinstance(answer, ThenDrop):
            self.send(answer.reply)
            raise Closed
        if isinstance(answer, Split):
            for octet in answer.reply.encode() + b"\r\n":
                self.connection.sendall(bytes([octet]))
                time.sleep(answer.pause)
            return int(answer.reply[:3])
        self.send(proper if answer is None else answer)
        return int((proper if answer is None else answer)[:3])

    # --- commands ---------------------------------------------------------------------------------------------

    def command(self, line):
        self.commands.append(line)
        verb, _, argument = line.partition(" ")
        action = getattr(self, "on_" + verb.lower(), None)
        if action:
            action(argument)
        else:
            self.say("other", line, "502 5.5.1 what is that?")

    def on_ehlo(self, argument):
        self.helo = argument
        extensions = list(self.server.extensions)
        if self.server.tls and not self.tls:
            extensions.append("STARTTLS")
        if self.server.users and self.tls:
            extensions.append("AUTH PLAIN LOGIN")
        lines = [self.server.name] + extensions
        self._forget_transaction()
        self.say("ehlo", argument, "\r\n".join(["250-" + each for each in lines[:-1]] + ["250 " + lines[-1]]))

    on_lhlo = on_ehlo

    def on_helo(self, argument):
        self.helo = argument
        self.say("helo", argument, f"250 {self.server.name}")

    def on_starttls(self, argument):
        if self.say("starttls", argument, "220 2.0.0 go ahead") == 220:
            self._take_connection(certificate.server_context().wrap_socket(self.connection, server_side=True))
            self.tls = True

    def on_auth(self, argument):
        mechanism, _, initial = argument.partition(" ")
        if mechanism != "PLAIN":
            self.say("auth", argument, "504 5.5.4 only PLAIN")
            return
        if not initial:
            self.send("334 ")
            initial = self.input.readline(10_000).decode().strip()
        _, user, password = base64.b64decode(initial).decode().split("\0")
        good = self.server.users.get(user) == password
        if self.say("auth", user, "235 2.7.0 welcome" if good else "535 5.7.8 no") == 235:
            self.user = user

    def on_mail(self, argument):
        path, *parameters = argument[len("FROM:"):].split(" ")
        if self.say("mail", argument, "250 2.1.0 ok") == 250:
            self._forget_transaction()
            self.sender, self.sender_parameters = path.strip("<>"), parameters

    def on_rcpt(self, argument):
        path, *parameters = argument[len("TO:"):].split(" ")
        if self.say("rcpt", path.strip("<>"), "250 2.1.5 ok") == 250:
            self.recipients.append((path.strip("<>"), parameters))

    def on_data(self, argument):
        if not self.recipients:
            self.send("554 5.5.1 no valid recipients")
        elif self.say("data", argument, "354 go ahead") == 354:
            self._content(self._read_dotted(), by_bdat=False)

    def _read_dotted(self):
        lines = []
        while True:
            line = self.input.readline()
            if not line:
                raise Closed
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def on_bdat(self, argument):
        size, _, last = argument.partition(" ")
        chunk = self.input.read(int(size))
        if len(chunk) != int(size):
            raise Closed
        self.chunks.append(chunk)
        if not self.recipients:
            self.send("503 5.5.1 no valid recipients")
        elif last.upper() == "LAST":
            self._content(b"".join(self.chunks), by_bdat=True)
        else:
            self.send(f"250 2.0.0 {size} octets")

    def _content(self, content, by_bdat):
        message = Message(self.sender, self.sender_parameters, self.recipients, content, self.helo, self.tls,
                          self.user, self.number, by_bdat)
        if self.server.lmtp:
            self._answer_each(message)
        elif self.server.counts_before_reply:
            self.server.take(message)
            self.say("content", message, "250 2.0.0 taken")
        elif self.say("content", message, "250 2.0.0 taken") == 250:
            self.server.take(message)
        self._forget_transaction()

    def _answer_each(self, message):
        kept = [one for one in message.recipients if self.say("content", one[0], "250 2.0.0 taken") == 250]
        if kept:
            self.server.take(dataclasses.replace(message, recipients=kept))

    def on_rset(self, argument):
        self._forget_transaction()
        self.say("rset", argument, "250 2.0.0 ok")

    def on_noop(self, argument):
        self.send("250 2.0.0 ok")

    def on_quit(self, argument):
        self.say("quit", argument, "221 2.0.0 bye")
        raise Closed


class Server:
    """Listens at once; stop() ends it. `counts_before_reply`: a message counts when its last octet came."""

    def __init__(self, port=None, address="127.0.0.1", answers=None, extensions=EXTENSIONS, tls=False,
                 implicit_tls=False, users=None, lmtp=False, counts_before_reply=False, name="sink.test"):
        self.address, self.port = address, port or net.free_port((address,))
        self.answers, self.extensions = dict(answers or {}), extensions
        self.tls, self.implicit_tls, self.users = tls, implicit_tls, users or {}
        self.lmtp, self.counts_before_reply, self.name = lmtp, counts_before_reply, name
        self.messages, self.sessions = [], []
        self.times = {}
        self.lock = threading.Condition()
        self.ended = threading.Event()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, self.port))
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.implicit_tls:
                connection = certificate.server_context().wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        with self.lock:
            session = Session(self, connection, len(self.sessions))
            self.sessions.append(session)
        session.run()

    def scripted(self, stage, session, argument):
        with self.lock:
            answer = self.answers.get(stage)
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            self.times[stage] = self.times.get(stage, 0) + 1
        return answer(session, argument) if callable(answer) else answer

    def pause(self, seconds):
        """Sleeps, unless the server ends."""
        if self.ended.wait(seconds):
            raise Closed

    def take(self, message):
        with self.lock:
            self.messages.append(message)
            self.lock.notify_all()

    def wait_for(self, count=1, seconds=20):
        """The messages, once there are `count`."""
        with self.lock:
            if not self.lock.wait_for(lambda: len(self.messages) >= count, seconds):
                raise net.NotInTime(f"{len(self.messages)} of {count} messages within {seconds} s")
            return list(self.messages)

    def stop(self):
        self.ended.set()
        self.listener.close()
        with self.lock:
            sessions = list(self.sessions)
        for session in sessions:
            try:
                session.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
