# SPDX-License-Identifier: Apache-2.0
"""Mail under load, and the ledger of what was promised for each recipient.

A recipient's local part says what the remote does with it: ok… is taken, late… is deferred once, bad… is refused."""

import dataclasses
import email
import random
import re
import threading
import time

from lib import content
from lib.client import Client, Gone

FATES = ("ok",) * 8 + ("late", "bad")
SENDER = "ann@sender.test"


class Remote:
    """What the scripted server answers; give these to Server(answers=…)."""

    def __init__(self):
        self.seen_late = set()
        self.lock = threading.Lock()

    def answers(self):
        return {"rcpt": self.on_rcpt}

    def on_rcpt(self, _session, address):
        if address.startswith("bad"):
            return "550 5.1.1 nobody of that name"
        if address.startswith("late"):
            with self.lock:
                if address not in self.seen_late:
                    self.seen_late.add(address)
                    return "451 4.3.0 later"
        return None


@dataclasses.dataclass
class Promise:
    """A recipient in a transaction that baton answered with 250."""
    when: float
    queue_id: str


class Ledger:
    """Who was promised delivery. Threads of clients write it."""

    def __init__(self):
        self.promised = {}   # address -> Promise
        self.offered = set()  # addresses handed over, answered or not
        self.lock = threading.Lock()
        self.refusals = 0

    def offer(self, addresses):
        with self.lock:
            self.offered.update(addresses)

    def promise(self, addresses, queue_id):
        now = time.monotonic()
        with self.lock:
            self.promised.update((address, Promise(now, queue_id)) for address in addresses)

    def refused(self):
        with self.lock:
            self.refusals += 1


class Sender(threading.Thread):
    """Hands mail over until told to stop; when the connection or the relay is lost, it comes back."""

    def __init__(self, port, ledger, number, seed):
        super().__init__(daemon=True)
        self.port, self.ledger, self.number = port, ledger, number
        self.random = random.Random(f"{seed}/{number}")
        self.count = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            try:
                with Client(self.port, seconds=20) as client:
                    while not self.ended.is_set():
                        self._send_one(client)
            except (OSError, Gone, ValueError):
                self.ended.wait(0.05)

    def _send_one(self, client):
        tag = f"{self.number}-{self.count}"
        self.count += 1
        addresses = [f"{self.random.choice(FATES)}-{tag}-{i}@dest.test"
                     for i in range(self.random.choice((1, 1, 1, 2, 5)))]
        size = self.random.choice((100, 2000, 2000, 20_000, 200_000) if self.count % 20 == 0 else (100, 2000))
        self.ledger.offer(addresses)
        _, answer = client.mail(SENDER, addresses, content.message(tag, content.lines_of(size, size)))
        if answer.startswith("250"):
            self.ledger.promise(addresses, answer.split()[-1])
        else:
            self.ledger.refused()
            self.ended.wait(0.05)


def bounced_addresses(dsn):
    """The Message-ID of a notification, and the recipients that it declares failed."""
    parsed = email.message_from_bytes(dsn)
    return parsed["Message-ID"], [match for part in parsed.walk()
                                  if part.get_content_type() == "message/delivery-status"
                                  for block in part.get_payload() if block["Action"] == "failed"
                                  for match in re.findall(r"rfc822; *(\S+)", block["Final-Recipient"] or "")]
