# SPDX-License-Identifier: Apache-2.0
"""Messages to send, and what must have become of them."""

import random
import re

HEADER = ("From: Ann <ann@sender.test>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{tag}@sender.test>\r\n"
          "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nX-Tag: {tag}\r\n")


def message(tag, body=b"Hello.\r\n", to="bob@dest.test", subject="a test", header=""):
    """A message, as octets, with `tag` in it."""
    return (HEADER.format(tag=tag, to=to, subject=subject) + header + "\r\n").encode() + body


MIME_8BIT = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


def tag_of(octets):
    """The tag of a message, wherever it has been since."""
    found = re.search(rb"^X-Tag: (\S+)\r?$", octets, re.MULTILINE)
    return found.group(1).decode() if found else None


def body_of(octets):
    """What stands after the header section."""
    return octets.partition(b"\r\n\r\n")[2]


def lines_of(size_bytes, seed, alphabet=None, width=76):
    """A body of about that size: lines of `width` octets, the same for the same seed."""
    source = random.Random(seed)
    alphabet = alphabet or b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJ.0123456789"
    block = b"".join(bytes(source.choices(alphabet, k=width)) + b"\r\n" for _ in range(100))
    numbered = (b"%09d" % i + block[9:] for i in range(max(1, size_bytes // len(block))))
    return b"".join(numbered)


def hard_bodies():
    """{name: body}: bodies that careless software changes."""
    eight_bit = bytes(octet for octet in range(0x80, 0x100)) * 3
    return {
        "dots": b".\r\n..\r\n...\r\n. \r\n.x\r\nx.\r\n\r\n.\r\n",
        "empty lines": b"\r\n" * 50,
        "empty": b"",
        "trailing blanks": b"line \r\n\ttab\t\r\n   \r\nend\r\n\r\n\r\n",
        "From_": b"From me\r\n>From you\r\nFrom  2\r\n",
        "998 octets a line": (b"x" * 998 + b"\r\n") * 20,
        "8-bit": b"".join(eight_bit[i:i + 70] + b"\r\n" for i in range(0, len(eight_bit), 70)),
        "UTF-8": "Grüße, Привет, 你好, 🙂\r\n".encode() * 40,
        "end of data inside": b"a\r\n..\r\nQUIT\r\n.\r\n.\r\nMAIL FROM:<>\r\n",
        "controls": bytes(octet for octet in range(1, 32) if octet not in (10, 13)) + b"\x7f\r\n",
    }
