# SPDX-License-Identifier: Apache-2.0
"""Debian's Exim, unpacked: as a client that uses baton as its smarthost, and as the server that DNS names."""

import shutil

from lib import certificate, maildir, net
from lib.packages import Machine

CONFIG = """\
primary_hostname = exim.test
local_interfaces = <; [{address}]:{port}
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
acl_smtp_rcpt = accept
acl_smtp_data = accept
host_lookup =
rfc1413_query_timeout = 0s
message_size_limit = 100M
remote_max_parallel = 10
queue_run_max = 8
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
split_spool_directory = true
message_logs = false
keep_environment =
never_users =
trusted_users = root
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {folder}/cert.pem
tls_privatekey = {folder}/key.pem
begin routers
{router}
begin transports
mailbox:
  driver = appendfile
  directory = {folder}/mail/all
  create_directory
  maildir_format
  user = vmail
  group = vmail
  quota = 0
smarthost:
  driver = smtp
  port = {smarthost_port}
  protocol = {protocol}
  hosts_require_auth = *
  hosts_require_tls = *
  tls_verify_certificates = {folder}/cert.pem
  tls_verify_hosts = *
  connection_max_messages = 500
begin retry
* * F,2h,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{user}^{password}
"""
TO_MAILBOX = "all:\n  driver = accept\n  transport = mailbox\n"
TO_SMARTHOST = ("all:\n  driver = manualroute\n  transport = smarthost\n"
                "  route_list = * localhost byname\n  self = send\n")


class Exim(Machine):
    """Listens on `port`. As a client it relays all that through baton; as a server it keeps it in a Maildir."""

    def __init__(self, address="127.0.0.1", port=None, smarthost=None, implicit_tls=False):
        super().__init__()
        self.address, self.port = address, port or net.free_port((address,))
        self.mail = maildir.Maildir(self.folder / "mail" / "all")
        hop_port = 0
        if smarthost:
            hop_port = smarthost.submissions_port if implicit_tls else smarthost.submission_port
        (self.folder / "exim4.conf").write_text(CONFIG.format(
            address=address, port=self.port, folder=self.folder, router=TO_SMARTHOST if smarthost else TO_MAILBOX,
            smarthost_port=hop_port, protocol="smtps" if implicit_tls else "smtp",
            user=smarthost.user if smarthost else "", password=smarthost.password if smarthost else ""))
        shutil.copy(certificate.cert_file(), self.folder / "cert.pem")
        shutil.copy(certificate.key_file(), self.folder / "key.pem")
        (self.folder / "key.pem").chmod(0o644)  # of this run only
        self.owned("spool", "Debian-exim")
        self.owned("mail", "vmail")
        self.folder.chmod(0o777)
        self.start("sh", "-c", f"mkdir -p /etc/exim4 && cp {self.folder}/exim4.conf /etc/exim4/exim4.conf && "
                               f"touch {self.folder}/mainlog && chown Debian-exim {self.folder}/mainlog && "
                               "exec /usr/sbin/exim4 -bdf -q2s")
        net.wait_until(lambda: net.answers(address, self.port), 20, lambda: "Exim\n" + self.output())

    def output(self):
        log = self.folder / "mainlog"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:]) if log.exists() else ""
        return super().output() + tail
