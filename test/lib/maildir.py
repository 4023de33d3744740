# SPDX-License-Identifier: Apache-2.0
"""A Maildir that somebody else fills."""

import pathlib

from lib import net


class Maildir:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def messages(self):
        """The octets of each message, as the file holds them: lines end with LF."""
        found = []
        for place in ("new", "cur"):
            folder = self.folder / place
            if folder.is_dir():
                found += [path.read_bytes() for path in sorted(folder.iterdir())]
        return found

    def count(self):
        return sum(len(list((self.folder / place).iterdir())) for place in ("new", "cur")
                   if (self.folder / place).is_dir())

    def wait_for(self, count, seconds=30, what=lambda: ""):
        net.wait_until(lambda: self.count() >= count, seconds,
                       lambda: f"{count} messages in {self.folder}, {self.count()} there\n{what()}")
        return self.messages()
