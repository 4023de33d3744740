# SPDX-License-Identifier: Apache-2.0
"""Messages as varied as those that a relay sees: each number gives one, always the same."""

import base64
import random

CRLF = "\r\n"
WORDS = ("lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor a I - 42 x@y.example "
         "https://example.org/?a=b&c=d%20e (comment) \"quoted\" äöü 漢字 Привет ✉ =20 . .. From -- ~ { } ; :").split(" ")
LIST_FIELDS = ("List-Id: Friends <friends.example.org>",
               "List-Unsubscribe: <https://example.org/u/1>,\r\n <mailto:u@example.org>",
               "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "List-Help: <mailto:help@example.org>",
               "List-Post: NO", "List-Archive: <https://example.org/a>",
               "List-Owner: <mailto:owner@example.org> (The owner)",
               "Feedback-ID: 1:2:3:example", "Precedence: list", "CFBL-Address: fbl@example.org; report=arf")
RARE_FIELDS = ("Sender: Robot <robot@example.org>", "Reply-To: answers@example.org, More <more@example.org>",
               "In-Reply-To: <1@example.org>", "References: <1@example.org>\r\n\t<2@example.org>\r\n <3@example.org>",
               "Resent-From: b@example.org", "Resent-To: c@example.net", "Resent-Date: Sun, 22 Nov 2026 01:28:43 +0000",
               "Auto-Submitted: auto-generated", "Content-Language: en, de", "Content-Description: a  note",
               "X-Empty:", "X-Blank: ", "X-Folded-Blank: a\r\n b\r\n\tc", "Comments: x:y;z=1", "Organization: Ex\tample",
               "DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=x;\r\n h=From; bh=AAAA; b=AAAA",
               "Authentication-Results: mx.example; spf=pass", "ARC-Seal: i=1; a=rsa-sha256; d=other.example")


class Corpus:
    def __init__(self, number):
        self.random = random.Random(number)

    def chance(self, share):
        return self.random.random() < share

    def blank(self):
        return self.random.choice((" ", " ", " ", " ", "  ", "\t", " \t ", "   "))

    def words(self, least, most):
        return self.blank().join(self.random.choice(WORDS) for _ in range(self.random.randint(least, most)))

    # --- the header --------------------------------------------------------------------------------------------

    def folded(self, text):
        """Folds at some blanks, sometimes with more white space."""
        folds = (CRLF + " ", CRLF + "\t", " " + CRLF + "  ")
        return "".join(self.random.choice(folds) if c == " " and self.chance(0.15) else c for c in text)

    def name(self, text):
        name, colon, value = text.partition(":")
        if self.chance(0.1):
            name = self.random.choice((name.upper(), name.lower()))
        if self.chance(0.1):
            value = self.random.choice(("", "  ", "\t")) + value.lstrip(" ")
        if self.chance(0.1):
            value += self.random.choice((" ", "\t", "  "))
        return name + colon + value

    def encoded(self, text):
        return "=?utf-8?b?" + base64.b64encode(text.encode()).decode() + "?="

    def sender(self):
        return self.random.choice((
            "From: Ann <ann@example.org>", "From: ann@example.org", "From:ann@example.org",
            'From: "Ann, of \\"Example\\"" <ann@example.org>', "From: Jörg <jörg@bücher.example>",
            f"From: {self.encoded('Jörg Müller')}\r\n <ann@example.org>", "From: Ann\r\n\t<ann@example.org>",
            "From: ann@example.org (a comment)", "From: Example : News <ann@example.org>"))

    def subject(self):
        return self.random.choice((
            "Subject: " + self.folded(self.words(1, 12)), "Subject: " + self.encoded(self.words(1, 6)), "Subject:",
            "Subject: ",
            "Subject: =?iso-8859-1?q?a_=E4?= b", "Subject: Äpfel und " + self.words(0, 9),
            "Subject: " + "long " * self.random.randint(20, 180)))

    def recipients(self, name):
        count = self.random.randint(1, 30)
        return f"{name}: " + self.folded(", ".join(f"r{i} <r{i}@example.net>" for i in range(count)))

    def header(self, content):
        lines = [f"Received: from a{i}.example (a{i}.example [192.0.2.{i}])\r\n\tby b{i}.example; "
                 "Sun, 22 Nov 2026 01:28:43 +0000" for i in range(self.random.choice((0, 1, 2, 2, 5)))]
        rest = [self.sender(), "Date: Sun, 22 Nov 2026 01:28:43 +0000"]
        optional = [(self.subject(), 0.95), (self.recipients("To"), 0.9), (self.recipients("Cc"), 0.3),
                    (f"Message-ID: <{self.random.random()}@example.org>", 0.95)]
        rest += [field for field, share in optional if self.chance(share)]
        if self.chance(0.3):
            rest += self.random.sample(LIST_FIELDS, self.random.randint(1, len(LIST_FIELDS)))
        if self.chance(0.5):
            rest += self.random.sample(RARE_FIELDS, self.random.randint(1, 6))
        if self.chance(0.03):
            rest += [f"X-Many-{i}: {i}" for i in range(150)]
        rest += content
        self.random.shuffle(rest)
        return CRLF.join(self.name(field) for field in lines + rest) + CRLF

    # --- the body ----------------------------------------------------------------------------------------------

    def text(self):
        lines = []
        for _ in range(self.random.randint(1, 25)):
            line = self.words(0, 14)
            if self.chance(0.15):
                line = self.random.choice((" ", "\t", "  ")) + line
            if self.chance(0.2):
                line += self.random.choice((" ", "\t", " \t", "     "))
            if self.chance(0.1):
                line = self.random.choice((".", "..", ".dot", "", "", "-- ", ">From me"))
            if self.chance(0.02):
                line = "x" * self.random.randint(500, 3000)
            lines.append(line)
        return CRLF.join(lines) + CRLF

    def multipart(self):
        mark = f"=_{self.random.randrange(1 << 40):x}"
        parts = [f"Content-Type: text/plain; charset=utf-8{CRLF}Content-Transfer-Encoding: 8bit{CRLF}{CRLF}"
                 + self.text(),
                 f"Content-Type: text/html{CRLF}{CRLF}<p>{self.text()}</p>{CRLF}",
                 f"Content-Type: application/pdf; name=\"a.pdf\"{CRLF}Content-Transfer-Encoding: base64{CRLF}{CRLF}"
                 + base64.encodebytes(self.random.randbytes(self.random.randint(0, 6000))).decode().replace("\n", CRLF)]
        chosen = self.random.sample(parts, self.random.randint(1, 3))
        return (["MIME-Version: 1.0 (x)", f"Content-Type: multipart/mixed;\r\n\tboundary=\"{mark}\""],
                self.random.choice(("", f"preamble  {CRLF}"))
                + "".join(f"--{mark}{CRLF}{part}{CRLF}" for part in chosen) + f"--{mark}--{CRLF}")

    def body(self):
        kind = self.random.random()
        if kind < 0.3:
            return self.multipart()
        content = [] if self.chance(0.5) else ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                                               "Content-Transfer-Encoding: 8bit"]
        if kind < 0.4:
            return content, self.random.choice(("", CRLF, CRLF * 3, " \t" + CRLF, CRLF + " " + CRLF))
        text = self.text()
        if kind < 0.55:
            text += self.random.choice((CRLF, CRLF * 4, " " + CRLF + "\t" + CRLF))
        if kind > 0.9:
            text = text.rstrip() or "x"  # no line's end at the end
        return content, text


def message(number):
    """As it goes over the wire, CRLF at the lines' ends."""
    corpus = Corpus(number)
    content, body = corpus.body()
    whole = (corpus.header(content) + CRLF + body).encode()
    if corpus.chance(0.1):  # not UTF-8, in header or body
        whole = whole.replace("ä".encode(), b"\xe4")
    return whole
