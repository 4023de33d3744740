# SPDX-License-Identifier: Apache-2.0
"""Debian's Dovecot, unpacked: takes mail by LMTP and gives it back by POP3 and IMAP."""

import contextlib
import imaplib
import poplib

from lib import net
from lib.packages import USERS, Machine

PASSWORD = "only-on-loopback"
CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = lmtp pop3 imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{folder}/mail/%u
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 100
hostname = dovecot.test
postmaster_address = postmaster@dovecot.test
lda_mailbox_autocreate = yes
lmtp_rcpt_check_quota = no
default_vsz_limit = 0
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
  unix_listener {folder}/lmtp.sock {{
    mode = 0666
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={folder}/mail/%u allow_all_users=yes
}}
"""


class Dovecot(Machine):
    def __init__(self):
        super().__init__()
        self.lmtp_port, self.pop3_port, self.imap_port = (net.free_port() for _ in range(3))
        self.socket = self.folder / "lmtp.sock"
        (self.folder / "dovecot.conf").write_text(CONFIG.format(
            folder=self.folder, uid=USERS["vmail"], lmtp=self.lmtp_port, pop3=self.pop3_port, imap=self.imap_port,
            password=PASSWORD))
        self.owned("mail", "vmail")
        self.start("/usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf")
        net.wait_until(lambda: net.answers("127.0.0.1", self.lmtp_port), 20, lambda: "Dovecot\n" + self.output())

    def by_pop3(self, user):
        """All messages of a mailbox, as octets with CRLF, as POP3 gives them."""
        box = poplib.POP3("127.0.0.1", self.pop3_port, timeout=60)
        with contextlib.closing(box):
            box.user(user)
            box.pass_(PASSWORD)
            poplib._MAXLINE = 1_000_000  # its own limit is lower than what mail may hold
            return [b"".join(line + b"\r\n" for line in box.retr(number + 1)[1])
                    for number in range(box.stat()[0])]

    def by_imap(self, user):
        """The same, as IMAP gives them."""
        box = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=60)
        with contextlib.closing(box.socket()):
            box.login(user, PASSWORD)
            _, count = box.select("INBOX", readonly=True)
            if not int(count[0]):
                return []
            _, answers = box.fetch("1:*", "(BODY.PEEK[])")
            return [answer[1] for answer in answers if isinstance(answer, tuple)]

    def wait_for(self, user, count, seconds=30):
        """The mailbox by IMAP once it holds `count` messages."""
        return net.wait_until(lambda: len(found := self.by_imap(user)) >= count and found, seconds,
                              lambda: f"{count} messages of {user}\n{self.output()}")
