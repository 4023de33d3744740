# SPDX-License-Identifier: Apache-2.0
"""What mail programs find by themselves (R07): served over HTTPS to anybody, printed for whoever publishes it."""

import http.client
import socket
import ssl
import xml.etree.ElementTree

from cli.case import FAILED, NOT_FOUND, USAGE, CliCase, run
from lib import certificate, net
from lib.baton import Baton

AUTOCONFIG = "/mail/config-v1.1.xml?emailaddress=ann%40shop.test"
OUTLOOK = """<?xml version="1.0"?><Autodiscover><Request><EMailAddress>ann@shop.test</EMailAddress>
<AcceptableResponseSchema>http://schemas.microsoft.com/</AcceptableResponseSchema></Request></Autodiscover>"""


class Clients(CliCase):
    def start(self, **web):
        self.port = net.free_port()
        return self.enterContext(Baton(settings={"web": {"listeners": [f"127.0.0.1:{self.port}"], **web}},
                                       single=getattr(self, "single", False)))

    def ask(self, method, path, body=None, tls=True):
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        more = {"context": certificate.client_context()} if tls else {}
        connection = kind("localhost", self.port, timeout=10, **more)
        self.addCleanup(connection.close)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_R07_thunderbird_finds_its_settings(self):
        for self.single in (False, True):
            with self.subTest(single=self.single):
                baton = self.start()
                status, text = self.ask("GET", AUTOCONFIG)
                self.assertEqual(status, 200)
                servers = xml.etree.ElementTree.fromstring(text.encode()).findall(".//outgoingServer")
                self.assertIn((baton.settings["hostname"], str(baton.submission_port), "STARTTLS"),
                              [tuple(server.findtext(name) for name in ("hostname", "port", "socketType"))
                               for server in servers])

    def test_R07_outlook_finds_its_settings(self):
        baton = self.start()
        status, text = self.ask("POST", "/autodiscover/autodiscover.xml", OUTLOOK)
        self.assertEqual(status, 200)
        space = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
        protocols = xml.etree.ElementTree.fromstring(text.encode()).findall(f".//{space}Protocol")
        self.assertIn((baton.settings["hostname"], "ann@shop.test", "TLS"),
                      [tuple(one.findtext(space + name) for name in ("Server", "LoginName", "Encryption"))
                       for one in protocols])

    def test_nothing_else_is_there(self):
        self.start()
        for method, path in (("GET", "/"), ("GET", "/v1/status"), ("POST", "/v1/accounts"), ("GET", "/v1/accounts"),
                             ("GET", "/mail/"), ("GET", "//mail/config-v1.1.xml")):
            with self.subTest(path):
                self.assertEqual(self.ask(method, path)[0], 404)
        self.assertEqual(self.ask("DELETE", AUTOCONFIG)[0], 405)
        self.assertEqual(self.ask("POST", "/autodiscover/autodiscover.xml", "x" * 20000)[0], 413)

    def test_without_tls_behind_a_proxy(self):
        self.start(tls=False)
        self.assertEqual(self.ask("GET", AUTOCONFIG, tls=False)[0], 200)

    def test_slow_and_silent_visitors_disturb_nobody(self):
        baton = self.start()
        silent = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(50)]
        for one in silent:
            self.addCleanup(one.close)
        half = ssl.create_default_context(cafile=certificate.cert_file()).wrap_socket(
            socket.create_connection(("127.0.0.1", self.port)), server_hostname="localhost")
        self.addCleanup(half.close)
        half.sendall(b"GET /mail/config")
        self.assertEqual(self.ask("GET", AUTOCONFIG)[0], 200)
        web = next(row for row in self.rows(baton, "status") if row["role"] == "web")
        self.assertGreaterEqual(web["facts"]["visitors"], 51)

    def test_R07_printed_for_who_publishes_it(self):
        baton = self.start()
        text = self.cli(baton, "account", "clients", "shop.test").stdout
        self.assertIn(f"_submission._tcp.shop.test. IN SRV 0 1 {baton.submission_port} ", text)
        self.assertIn("<clientConfig", text)
        self.assertIn("<Autodiscover", text)
        self.assertEqual([row["name"] for row in self.rows(baton, "account", "clients", "shop.test")],
                         ["records", "autoconfig", "autodiscover"])
        self.cli(baton, "account", "clients", "<b>", status=USAGE)
        self.cli(baton, "account", "clients", "", status=NOT_FOUND)

    def test_https_needs_a_certificate(self):
        baton = self.start()
        baton.stop()
        del baton.settings["tls"]
        baton.settings["listeners"] = [{"kind": "relay", "address": f"127.0.0.1:{baton.relay_port}"}]
        baton.write_config()
        done = self.ended(run("serve", "--config", baton.config_path), FAILED)
        self.assertIn("web.listeners: HTTPS needs tls.cert_file", done.stderr)
