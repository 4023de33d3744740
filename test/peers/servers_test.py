# SPDX-License-Identifier: Apache-2.0
"""Real mail servers take what baton delivers: found by MX records, or reached by LMTP (R28, R29, R30, R40)."""

from lib import content, net
from lib.client import Client
from lib.dovecot import Dovecot
from lib.exim import Exim
from lib.knot import Knot
from lib.postfix import Postfix
from lib.relay_case import RelayCase
from lib.runner import seconds

# Of these Postfix and Exim store every octet; a mailbox of lines with LF cannot tell the others apart.
EVERYWHERE = ("dots", "empty lines", "trailing blanks", "998 octets a line", "8-bit", "UTF-8", "end of data inside")


class MxCase(RelayCase):
    """A server on one loopback address per MX host, all on one port; knot names them."""

    def start_dns(self, *records):
        return self.enterContext(Knot(records))

    def start_mx_baton(self, dns, port, settings=None):
        return self.start_baton({"dns": {"servers": [dns.server]}, "delivery": {"port": port}, **(settings or {})})


class ByMx(MxCase):
    """Debian's servers."""

    def check_bodies(self, baton, mail, names, domain, output):
        """Each of the hard bodies arrives octet for octet in a Maildir."""
        bodies = content.hard_bodies()
        for number, name in enumerate(names):
            self.send(baton, f"{number}", bodies[name], to=[f"bob@{domain}"], header=content.MIME_8BIT,
                      mail_parameters=" BODY=8BITMIME")
        arrived = {content.tag_of(message): message for message in mail.wait_for(len(names), 30, output)}
        for number, name in enumerate(names):
            body = arrived[str(number)].partition(b"\n\n")[2]
            self.assertEqual(body, bodies[name].replace(b"\r\n", b"\n"), name)
        baton.wait_for_empty_queue()

    @staticmethod
    def deliveries(baton):
        return net.wait_until(lambda: baton.events("delivered"), 5, "a log line")

    def test_R29_Postfix_as_the_server_that_MX_names(self):
        dns = self.start_dns("dest MX 10 mx.dest", "mx.dest A 127.0.0.1")
        with Postfix() as postfix:
            baton = self.start_mx_baton(dns, postfix.port)
            self.check_bodies(baton, postfix.mail, EVERYWHERE, "dest.test", postfix.output)
            self.assertEqual({event["tls"] for event in self.deliveries(baton)}, {"yes"}, "R12: opportunistic TLS")

    def test_R29_Exim_as_the_server_that_MX_names(self):
        dns = self.start_dns("dest MX 10 mx.dest", "mx.dest A 127.0.0.1")
        with Exim() as exim:
            baton = self.start_mx_baton(dns, exim.port)
            self.check_bodies(baton, exim.mail, EVERYWHERE, "dest.test", exim.output)
            self.assertEqual({event["tls"] for event in self.deliveries(baton)}, {"yes"}, "R12: opportunistic TLS")

    @seconds(90)
    def test_R29_500_messages_of_50_domains_to_Postfix(self):
        dns = self.start_dns("mx.dest A 127.0.0.1", *(f"d{i} MX 10 mx.dest" for i in range(50)))
        with Postfix() as postfix:
            baton = self.start_mx_baton(dns, postfix.port)
            with Client(baton.relay_port) as client:
                for number in range(500):
                    answer = client.mail("ann@sender.test", [f"bob@d{number % 50}.test"],
                                         content.message(str(number)))[1]
                    self.assertTrue(answer.startswith("250"), answer)
            messages = postfix.mail.wait_for(500, 60, postfix.output)
            baton.wait_for_empty_queue()
            self.assertEqual(sorted(int(content.tag_of(message)) for message in messages), list(range(500)))


class ByLmtp(RelayCase):
    """Dovecot keeps it; people read it by POP3 and by IMAP."""

    def check_mailbox(self, baton, dovecot):
        bodies = content.hard_bodies()
        for number, body in enumerate(bodies.values()):
            self.send(baton, str(number), body, to=["bob@dest.test"], header=content.MIME_8BIT,
                      mail_parameters=" BODY=8BITMIME")
        baton.wait_for_empty_queue()
        by_imap = dovecot.wait_for("bob@dest.test", len(bodies))
        for way, messages in (("IMAP", by_imap), ("POP3", dovecot.by_pop3("bob@dest.test"))):
            arrived = {content.tag_of(message): content.body_of(message) for message in messages}
            self.assertEqual(len(messages), len(bodies))
            for number, (name, body) in enumerate(bodies.items()):
                self.assertEqual(arrived[str(number)], body, f"{name} by {way}")

    def test_R40_Dovecot_by_LMTP_read_by_POP3_and_IMAP(self):
        with Dovecot() as dovecot:
            self.check_mailbox(self.start_baton({"routes": [
                {"domain": "dest.test", "via": "lmtp", "host": "127.0.0.1", "port": dovecot.lmtp_port}]}), dovecot)

    def test_R40_Dovecot_by_LMTP_over_a_UNIX_socket(self):
        with Dovecot() as dovecot:
            self.check_mailbox(self.start_baton({"routes": [
                {"domain": "dest.test", "via": "lmtp", "host": str(dovecot.socket)}]}), dovecot)

    def test_R31_a_local_domain_never_goes_out_by_MX(self):
        with Dovecot() as dovecot:
            baton = self.start_baton({
                "trusted_networks": [], "local_domains": ["dest.test"], "routes": [
                    {"domain": "dest.test", "via": "lmtp", "host": "127.0.0.1", "port": dovecot.lmtp_port}]})
            self.send(baton, "1", to=["bob@dest.test"])
            dovecot.wait_for("bob@dest.test", 1)
            with Client(baton.relay_port) as client:
                to_each, _ = client.mail("ann@sender.test", ["bob@other.test"], b"\r\n")
            self.assertTrue(to_each[0].startswith("550 5.7.1"), to_each)


class MxRules(MxCase):
    """Scripted servers as MX hosts, at 127.0.0.1, .2, … and ::1."""

    def start_hosts(self, *addresses, answers=None, every=()):
        """A server per address on one port; `every`: addresses that must be free on it too."""
        port = net.free_port(addresses + tuple(every))
        return port, [self.start_server(address=address, port=port, answers=answers) for address in addresses]

    def test_R28_preference_is_obeyed(self):
        dns = self.start_dns("dest MX 20 b.dest", "dest MX 10 a.dest", "a.dest A 127.0.0.2", "b.dest A 127.0.0.3")
        port, (first, second) = self.start_hosts("127.0.0.2", "127.0.0.3")
        baton = self.start_mx_baton(dns, port)
        for number in range(10):
            self.send(baton, str(number))
        first.wait_for(10)
        self.assertEqual(second.sessions, [])

    def test_R28_equal_preferences_are_shuffled(self):
        dns = self.start_dns("mx1 A 127.0.0.2", "mx2 A 127.0.0.3",
                             *(f"d{i} MX 10 mx{j}" for i in range(40) for j in (1, 2)))
        port, servers = self.start_hosts("127.0.0.2", "127.0.0.3")
        baton = self.start_mx_baton(dns, port, {"timeouts": {"idle_kept": "0"},
                                                "delivery": {"messages_per_connection": 1, "port": port}})
        for number in range(40):
            self.send(baton, str(number), to=[f"bob@d{number}.test"])
            net.wait_until(lambda: sum(len(server.messages) for server in servers) == number + 1, 10, "it to arrive")
        self.assertTrue(all(server.messages for server in servers))

    def test_R29_a_dead_first_MX_is_passed_over(self):
        dns = self.start_dns("dest MX 10 dead.dest", "dest MX 20 b.dest", "dead.dest A 127.0.0.2",
                             "b.dest A 127.0.0.3")
        port, (second,) = self.start_hosts("127.0.0.3", every=("127.0.0.2",))
        baton = self.start_mx_baton(dns, port)
        self.send(baton)
        second.wait_for(1, 5)

    def test_R29_a_first_MX_that_never_answers_is_passed_over(self):
        dns = self.start_dns("dest MX 10 hole.dest", "dest MX 20 b.dest", "hole.dest A 127.0.0.2",
                             "b.dest A 127.0.0.3")
        port, (second,) = self.start_hosts("127.0.0.3", every=("127.0.0.2",))
        hole = net.BlackHole("127.0.0.2", port)
        self.addCleanup(hole.stop)
        baton = self.start_mx_baton(dns, port, {"timeouts": {"connect": "1s"}})
        self.send(baton)
        second.wait_for(1, 8)

    def test_R29_a_first_MX_that_greets_with_421_or_554_is_passed_over(self):
        for greeting in ("421 4.3.2 not now", "554 5.3.2 never"):
            dns = self.start_dns("dest MX 10 a.dest", "dest MX 20 b.dest", "a.dest A 127.0.0.2", "b.dest A 127.0.0.3")
            port, (first, second) = self.start_hosts("127.0.0.2", "127.0.0.3")
            first.answers["connect"] = greeting
            baton = self.start_mx_baton(dns, port)
            self.send(baton)
            second.wait_for(1, 5)
            self.assertEqual(first.messages, [])

    def test_N08_IPv6_is_dead_and_IPv4_fine(self):
        if not net.is_free(net.free_port(("::1",)), ("::1",)):
            self.skipTest("this machine has no IPv6 on its loopback interface")
        dns = self.start_dns("dest MX 10 a.dest", "a.dest AAAA ::1", "a.dest A 127.0.0.2")
        port, (server,) = self.start_hosts("127.0.0.2", every=("::1",))
        hole = net.BlackHole("::1", port)
        self.addCleanup(hole.stop)
        self.send(self.start_mx_baton(dns, port))
        server.wait_for(1, 10)

    def test_R29_IPv6_alone(self):
        dns = self.start_dns("dest MX 10 a.dest", "a.dest AAAA ::1")
        port, (server,) = self.start_hosts("::1")
        self.send(self.start_mx_baton(dns, port))
        server.wait_for(1)

    def test_R28_without_MX_the_address_counts(self):
        dns = self.start_dns("dest A 127.0.0.2")
        port, (server,) = self.start_hosts("127.0.0.2")
        self.send(self.start_mx_baton(dns, port))
        server.wait_for(1)

    def test_R28_a_domain_that_is_an_alias(self):
        dns = self.start_dns("dest CNAME real", "real MX 10 a.real", "a.real A 127.0.0.2")
        port, (server,) = self.start_hosts("127.0.0.2")
        self.send(self.start_mx_baton(dns, port))
        self.assertEqual(server.wait_for(1)[0].addresses(), ["bob@dest.test"])

    def bounce_of(self, dns, port, seconds=15):
        """Sends one message to dest.test whose notification goes to a server for sender.test; returns it."""
        mailbox = self.start_server()
        baton = self.start_mx_baton(dns, port, {"routes": [
            {"domain": "sender.test", "via": "smarthost", "host": "127.0.0.1", "port": mailbox.port}]})
        self.send(baton)
        return mailbox.wait_for(1, seconds)[0].content.decode()

    def test_S01_null_MX_bounces_with_556(self):
        dns = self.start_dns("dest MX 0 .")
        notification = self.bounce_of(dns, net.free_port())
        self.assertRegex(notification, r"Status: 5\.1\.10")
        self.assertIn("556", notification)

    def test_S01_a_domain_that_is_not_bounces(self):
        self.assertRegex(self.bounce_of(self.start_dns("other A 127.0.0.2"), net.free_port()), r"Status: 5\.1\.2")

    def test_S02_an_MX_that_is_baton_itself_bounces(self):
        dns = self.start_dns("dest MX 10 relay", "relay A 127.0.0.1")
        self.assertRegex(self.bounce_of(dns, net.free_port()), r"Status: 5\.4\.6")

    def test_S01_a_DNS_server_that_is_away_defers(self):
        baton = self.start_baton()  # its resolver is a port where nobody listens
        queue_id = self.send(baton)
        net.wait_until(lambda: baton.api.queue() and baton.api.queue()[0]["tries"] > 0, 40, "a first try")
        self.assertEqual(baton.api.queue()[0]["id"], queue_id)

    def test_S02_private_addresses_are_refused_unless_allowed(self):
        dns = self.start_dns("dest MX 10 a.dest", "a.dest A 127.0.0.2")
        port, (server,) = self.start_hosts("127.0.0.2")
        baton = self.start_baton({"dns": {"servers": [dns.server]}, "delivery": {"port": port, "allow_networks": []}})
        self.send(baton)
        net.wait_until(lambda: baton.events("bounced") or baton.events("deferred"), 10, "an end of the first try")
        self.assertEqual(server.sessions, [])
