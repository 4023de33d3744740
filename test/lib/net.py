# SPDX-License-Identifier: Apache-2.0
"""Addresses and ports of the loopback network, and waiting for things to happen."""

import contextlib
import socket
import time

FIRST_PORT, LAST_PORT = 20000, 32000  # below what the kernel hands out to clients


class NotInTime(AssertionError):
    """What a test waited for did not happen."""


def is_free(port, addresses=("127.0.0.1",)):
    """Whether nobody listens on `port` at any of `addresses`."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with contextlib.closing(socket.socket(family)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def _port_numbers():
    # Runs at the same time begin at different places, so that they seldom meet.
    start = FIRST_PORT + time.monotonic_ns() // 1000 % (LAST_PORT - FIRST_PORT)
    while True:
        for port in range(start, LAST_PORT):
            yield port
        start = FIRST_PORT


_ports = _port_numbers()


def free_port(addresses=("127.0.0.1",)):
    """A port that is free now at all of `addresses`, and was not given out before by this process."""
    for _ in range(LAST_PORT - FIRST_PORT):
        port = next(_ports)
        if is_free(port, addresses):
            return port
    raise OSError("no free port on the loopback network")


def wait_until(condition, seconds=10, what="it"):
    """Returns the first true value of condition(). NotInTime after `seconds`."""
    end = time.monotonic() + seconds
    pause = 0.005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise NotInTime(f"{what() if callable(what) else what}: not within {seconds} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def answers(address, port):
    """Whether something greets or at least accepts at that port."""
    try:
        with contextlib.closing(socket.create_connection((address, port), 1)):
            return True
    except OSError:
        return False


class BlackHole:
    """A port that neither accepts nor refuses: connections to it hang until their own timeout."""

    def __init__(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sockets = [socket.socket(family)]
        self.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sockets[0].bind((address, port))
        self.sockets[0].listen(0)
        # The queue of one is filled, so the kernel drops every further SYN.
        for _ in range(3):
            filler = socket.socket(family)
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((address, port))
            self.sockets.append(filler)

    def stop(self):
        for each in self.sockets:
            each.close()
