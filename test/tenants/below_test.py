# SPDX-License-Identifier: Apache-2.0
"""Sub-accounts: what they may use of those above them, and what stops them; and accounts with many domains (R15, R49,
R100)."""

from lib import net
from lib.api import ApiError
from tenants.case import TenantCase, message_of

SHOP = "shop.test"


class Below(TenantCase):
    def setUp(self):
        self.start()
        self.add_account("agency")
        self.add_account("customer", parent="agency")
        self.add_account("desk", parent="customer")
        self.zone.prove(self.baton, SHOP, "agency")

    def said(self, key, domain=SHOP, *fields):
        return self.offer(key, f"x@{domain}", message_of(("From", f"x@{domain}"), *fields))

    def test_R49_domains_are_shared_downward_only_where_it_is_said(self):
        for account in ("customer", "desk"):
            self.assertRegex(self.said(account), r"^550 .*\[MAIL-FROM\]")
        self.set("accounts/agency", shares_domains=True)
        for account in ("customer", "desk"):
            message, _ = self.taken(account, f"x@{SHOP}", message_of(("From", f"x@{SHOP}")))
            self.assertEqual(message.content.count(f"d={SHOP};".encode()), 2)
        self.zone.prove(self.baton, "desk.test", "desk")
        self.assertRegex(self.said("agency", "desk.test"), r"^550 .*\[MAIL-FROM\]", "never upward")
        self.set("accounts/agency", shares_domains=False)
        self.assertRegex(self.said("desk"), r"^550 .*\[MAIL-FROM\]")

    def test_R49_on_behalf_of(self):
        """Sender and From of two domains of the account; of one that is not, neither."""
        self.zone.prove(self.baton, "other.test", "agency")
        self.assertRegex(self.said("agency", SHOP, ("Sender", "secretary@other.test")), "^250 ")
        self.assertRegex(self.said("agency", SHOP, ("Sender", "secretary@nobodys.test")), r"^550 .*\[SENDER\]")

    def test_R15_states_cascade_and_come_back(self):
        self.set("accounts/agency", shares_domains=True)
        for above in ("agency", "customer"):
            self.set(f"accounts/{above}", state="suspended")
            with self.assertRaisesRegex(AssertionError, "525"):
                self.client("desk")
            self.set(f"accounts/{above}", state="sandbox")
            self.assertRegex(self.said("desk"), r"^550 .*\[ACCOUNT-SANDBOX\]")
            self.set(f"accounts/{above}", state="active")
            self.assertRegex(self.said("desk"), "^250 ")

    def test_R15_an_account_with_others_below_is_not_taken_away(self):
        with self.assertRaises(ApiError) as refused:
            self.api.call("DELETE", "/v1/accounts/customer")
        self.assertEqual(refused.exception.status, 409)
        self.assertRegex(self.said("agency"), "^250 ")

    def test_R15_until_a_day(self):
        self.set("accounts/agency", until="2020-01-01T00:00:00Z")
        with self.assertRaisesRegex(AssertionError, "525"):
            self.client("desk")
        self.set("accounts/agency", until="2099-01-01T00:00:00Z")
        self.client("desk").close()

    def test_R100_many_domains_of_one_account(self):
        names = [f"d{i}.test" for i in range(5)]
        for name in names:
            self.zone.prove(self.baton, name, "agency", subdomains=name == names[0])
        for name in names:
            message, _ = self.taken("agency", f"x@{name}", message_of(("From", f"x@{name}")))
            self.assertEqual(message.content.count(f"d={name};".encode()), 2)
        self.assertRegex(self.said("agency", f"a.b.{names[0]}"), "^250 ")
        self.assertRegex(self.said("agency", f"a.{names[1]}"), r"^550 .*\[MAIL-FROM\]")
        self.api.call("DELETE", f"/v1/domains/{names[2]}", {"account": "agency"})
        net.wait_until(lambda: self.said("agency", names[2]).startswith("550"), 5, "the end of a domain")
        self.assertRegex(self.said("agency", names[3]), "^250 ")
