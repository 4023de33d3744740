# SPDX-License-Identifier: Apache-2.0
"""The verdict: every promised recipient ended in exactly one state, and what came twice had to (C02, C08, C09).

A delivery may repeat only between the last octet sent to the remote and the sync of its settle record. So a second
copy needs a kill of core or deliver between the two, and one kill can double no more transactions than were being
delivered when it struck."""

import collections
import dataclasses

from lib import content
from kill.load import SENDER, bounced_addresses

MAY_DOUBLE = ("core", "deliver", "super", "all")
UNSETTLED_S = 3  # no settle is further behind its last octet, even on a machine that is busy


@dataclasses.dataclass
class Kill:
    number: int
    role: str
    asked: float       # just before `delivering` was counted: what began since then is not in it
    when: float        # just before the signal
    promised: int      # recipients promised so far
    delivering: int    # transactions handed out and not settled then
    back_after: float = 0
    doubled: int = 0   # transactions that came again because of it
    possible: int = 0  # … that could have


@dataclasses.dataclass
class Verdict:
    delivered: int
    bounced: int
    doubled: int
    wrongs: list       # what must not be, in words


def _copies(arrivals):
    """What came, in order: {address: [(time, transaction), …]}, and of notifications {address: {Message-ID, …}}.

    A notification is a message too, known by its Message-ID: it may come twice as any other."""
    delivered, bounced = collections.defaultdict(list), collections.defaultdict(set)
    for when, message in arrivals:
        if message.sender == "" and message.addresses() == [SENDER]:
            identity, failed = bounced_addresses(message.content)
            delivered[identity].append((when, identity))
            for address in failed:
                bounced[address].add(identity)
        else:
            for address in message.addresses():
                delivered[address].append((when, content.tag_of(message.content)))
    return delivered, bounced


def _cause(kills, first, second):
    return next((kill for kill in kills if kill.role in MAY_DOUBLE
                 and kill.when - UNSETTLED_S <= first <= kill.back_after and second >= kill.when), None)


def _count_doubles(kills, delivered, wrongs):
    doubled = collections.defaultdict(set)  # kill number -> tags
    for address, copies in delivered.items():
        for (first, tag), (second, _) in zip(copies, copies[1:]):
            kill = _cause(kills, first, second)
            if kill is None:
                wrongs.append(f"{address} came twice, {second - first:.2f} s apart, with no kill between")
            else:
                doubled[kill.number].add(tag)
    for kill in kills:
        kill.doubled = len(doubled[kill.number])
        if kill.doubled > kill.possible:
            wrongs.append(f"kill {kill.number} of {kill.role} doubled {kill.doubled} transactions, "
                          f"{kill.possible} were underway")
    return sum(kill.doubled for kill in kills)


def judge(ledger, arrivals, kills):
    """`arrivals`: [(time, Message)] of the server, at the last octet of each."""
    delivered, bounced = _copies(arrivals)
    wrongs = []
    for kill in kills:
        kill.possible = kill.delivering + sum(1 for when, _ in arrivals if kill.asked <= when <= kill.back_after)
    for address in ledger.promised:
        ends = (address in delivered) + (address in bounced)
        if ends == 0:
            wrongs.append(f"{address} was promised and LOST")
        elif ends > 1:
            wrongs.append(f"{address} was delivered and bounced")
        if len(bounced.get(address, ())) > 1:
            wrongs.append(f"{address} has {len(bounced[address])} notifications")
        if address.startswith("bad") != (address in bounced):
            wrongs.append(f"{address} ended in the wrong state")
    wrongs += [f"{address} was never offered" for address in list(delivered) + list(bounced)
               if address not in ledger.offered and not address.startswith("<")]
    doubled = _count_doubles(kills, delivered, wrongs)
    return Verdict(sum(1 for address in ledger.promised if address in delivered),
                   sum(1 for address in ledger.promised if address in bounced), doubled, wrongs)
