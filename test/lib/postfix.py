# SPDX-License-Identifier: Apache-2.0
"""Debian's Postfix, unpacked: as a client that uses baton as its smarthost, and as the server that DNS names."""

import shutil

from lib import certificate, maildir, net
from lib.packages import USERS, Machine

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
inet_interfaces = {address}
mydestination =
local_transport = error:no local mail
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_limit = 0
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
smtp_tls_CAfile = {cert}
in_flow_delay = 0
"""
AS_CLIENT = """\
inet_protocols = ipv4
relayhost = [localhost]:{port}
smtp_host_lookup = native
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = hostname
smtp_tls_wrappermode = {wrapped}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:{folder}/password
smtp_sasl_security_options = noanonymous
"""
AS_SERVER = """\
inet_protocols = all
virtual_mailbox_domains = static:ok
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {folder}/key.pem
"""
MASTER = """\
{address}:{port} inet n - n - 50 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Machine):
    """Listens on `port`. As a client it relays all that through baton; as a server it keeps it in a Maildir."""

    def __init__(self, address="127.0.0.1", port=None, smarthost=None, wrapped=False, more=""):
        super().__init__()
        self.address, self.port = address, port or net.free_port((address,))
        self.mail = maildir.Maildir(self.folder / "mail" / "all")
        fields = {"folder": self.folder, "address": address, "port": self.port, "cert": self.folder / "cert.pem",
                  "uid": USERS["vmail"]}
        settings = MAIN + (AS_CLIENT if smarthost else AS_SERVER) + more
        if smarthost:
            fields.update(port=smarthost.submissions_port if wrapped else smarthost.submission_port,
                          wrapped="yes" if wrapped else "no")
            self._write("password", f"[localhost]:{fields['port']} {smarthost.user}:{smarthost.password}\n")
        shutil.copy(certificate.cert_file(), self.folder / "cert.pem")
        shutil.copy(certificate.key_file(), self.folder / "key.pem")
        self._write("etc/main.cf", settings.format(**fields))
        self._write("etc/master.cf", MASTER.format(address=address, port=self.port))
        self.owned("data", "postfix")
        self.owned("mail", "vmail")
        (self.folder / "spool").mkdir()
        self.start("sh", "-c", f"postfix -c {self.folder}/etc check && exec /usr/lib/postfix/sbin/master "
                               f"-c {self.folder}/etc -d")
        net.wait_until(lambda: net.answers(address, self.port), 20, lambda: "Postfix\n" + self.output())

    def _write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
