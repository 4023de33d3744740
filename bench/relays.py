# SPDX-License-Identifier: Apache-2.0
"""The relays that are measured: baton and Postfix, each with a fresh spool and its makers' defaults but for what is
said here.

    with Relay(next_hop=PORT, tls=…, hold=…, sign=…) as relay:    started; at the end killed and its files removed
        relay.port                                        takes mail from loopback for anybody
        relay.pid                                         the process above all of its own

hold: what is accepted stays where it is. Postfix puts it into its hold queue, which is the least work it can have with
a message. baton has no such switch for mail that comes in; a next hop that never greets (ends.SilentHop) and a long
patience have the same effect: each message is synced, indexed and scheduled, a few wait in deliver, the others behind
them.

sign: "rsa" (2048 bits) or "ed25519": every message leaves with one such signature of DOMAIN. baton makes its key itself
and signs once a name server shows the record; Postfix has OpenDKIM as its milter, which is not asked to verify."""

import shutil

from lib import certificate, net, own_domain
from lib.api import ApiError
from lib.baton import Baton as PlainBaton
from lib.packages import Machine

START_S = 120  # a spool with a million messages included
DOMAIN = "bench.test"  # in whose name smtp-load writes


class Baton(PlainBaton):
    name = "baton"

    def __init__(self, next_hop, tls=False, hold=False, sign=None):
        self.zone = own_domain.Zone() if sign else None
        self.sign = sign
        super().__init__({
            "routes": [{"domain": "*", "via": "smarthost", "host": "127.0.0.1", "port": next_hop,
                        "tls": "must" if tls else "never"}],
            "spool": {"segment_bytes": "64M", "reserve_bytes": "64M"},  # the defaults; the tests' are smaller
            "limits": {"sessions_per_account": 20000, "sessions_per_client": 20000,
                       "connections_per_minute_per_client": 10_000_000},
            **({"timeouts": {"greeting": "1h"}} if hold else {}),
            **(self.zone.settings if self.zone else {}),
        })
        self.port = self.relay_port

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        super().__enter__()
        if self.zone:
            self.zone.prove(self, DOMAIN, algorithms=self.sign)
        return self

    def remove(self):
        super().remove()
        if self.zone:
            self.zone.stop()

    def stop(self, seconds=45):
        """Its mail is nobody's: no need to wait for an orderly end."""
        self.kill()

    def facts(self, role="core"):
        """What `baton status` says of a role, once it has the time to answer. Waits."""
        return net.wait_until(lambda: self._told(role), START_S, lambda: f"facts of {role}\n{self.log_tail(5)}")

    def _told(self, role):
        """{} when the role, or the whole relay, doesn't answer at once."""
        try:
            return next((row.get("facts") for row in self.api.items("/v1/status") if row["role"] == role), {})
        except (OSError, ApiError):
            return {}


MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {folder}
maillog_file = {folder}/log

myhostname = relay.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_transport = error:no local mail
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject

# Straight to the sink, and no DNS.
relayhost = [127.0.0.1]:{next_hop}
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no

# In its favour: clients are never slowed down when the queue manager lags behind.
in_flow_delay = 0
"""
MAIN_CF_HOLD = """\
smtpd_recipient_restrictions = check_client_access static:HOLD, permit_mynetworks, reject
"""
MAIN_CF_TLS = """\
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/cert.pem
smtpd_tls_key_file = {folder}/key.pem
smtp_tls_security_level = encrypt
smtp_tls_connection_reuse = yes
"""
MAIN_CF_SIGN = """\
smtpd_milters = inet:127.0.0.1:{milter}
milter_default_action = tempfail
"""
OPENDKIM_CONF = """\
Mode s
Socket inet:{milter}@127.0.0.1
Domain {domain}
Selector bench
KeyFile {folder}/bench.pem
SignatureAlgorithm {algorithm}
Canonicalization relaxed/relaxed
OversignHeaders From
InternalHosts 127.0.0.0/8
RequireSafeKeys no
Background no
Syslog no
"""
# Debian's, without chroot and without what only local mail needs; "-" is default_process_limit, 100.
MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
tlsproxy unix - - n - 0 tlsproxy
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Machine):
    name = "Postfix"

    def __init__(self, next_hop, tls=False, hold=False, sign=None):
        super().__init__()
        self.port = net.free_port()
        fields = {"folder": self.folder, "port": self.port, "next_hop": next_hop, "milter": net.free_port()}
        settings = (MAIN_CF + (MAIN_CF_HOLD if hold else "") + (MAIN_CF_TLS if tls else "")
                    + (MAIN_CF_SIGN if sign else ""))
        (self.folder / "etc").mkdir()
        (self.folder / "etc/main.cf").write_text(settings.format(**fields))
        (self.folder / "etc/master.cf").write_text(MASTER_CF.format(**fields))
        (self.folder / "spool").mkdir()
        self.owned("data", "postfix")
        shutil.copy(certificate.cert_file(), self.folder / "cert.pem")
        shutil.copy(certificate.key_file(), self.folder / "key.pem")
        try:
            if sign:
                self._start_opendkim(sign, fields)
            self._start_master()
        except BaseException:
            self.stop()
            raise

    def _start_master(self):
        etc = self.folder / "etc"
        process = self.start("sh", "-c",
                             f"postfix -c {etc} check && exec /usr/lib/postfix/sbin/master -c {etc} -d")
        self.pid = process.pid
        net.wait_until(lambda: net.answers("127.0.0.1", self.port), START_S, lambda: "Postfix\n" + self.output())

    def _start_opendkim(self, sign, fields):
        key = self.folder / "bench.pem"
        kind = {"rsa": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"), "ed25519": ("ed25519",)}[sign]
        self.run("openssl", "genpkey", "-out", key, "-algorithm", *kind)
        shutil.chown(key, "root", "root")
        (self.folder / "opendkim.conf").write_text(
            OPENDKIM_CONF.format(**fields, domain=DOMAIN, algorithm=f"{sign}-sha256"))
        self.start("opendkim", "-f", "-x", self.folder / "opendkim.conf")
        net.wait_until(lambda: net.answers("127.0.0.1", fields["milter"]), START_S,
                       lambda: "OpenDKIM\n" + self.output())

    def version(self):
        return self.run("postconf", "-c", self.folder / "etc", "-h", "mail_version").stdout.decode().strip()


RELAYS = (Baton, Postfix)
