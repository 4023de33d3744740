# SPDX-License-Identifier: Apache-2.0
"""How much an account may send: limits of four windows and four measures, over crashes and races (R96, A10)."""

import concurrent.futures
import json
import os
import re
import signal
import time

from lib import net
from lib.client import Gone
from tenants.case import TenantCase, message_of

MESSAGE = message_of(("From", "ann@sender.test"))
DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


def within_a_window(seconds=15, window=60):
    """A test that counts must not have its minute or hour end under it."""
    left = window - time.time() % window
    if left < seconds:
        time.sleep(left)


class Quotas(TenantCase):
    def setUp(self):
        self.start()
        self.add_account("shop", identity="observe")

    def answer(self, key="shop", to="bob@dest.test", content=MESSAGE):
        return self.offer(key, "ann@sender.test", content, to)

    def used(self, account="shop", stream=""):
        """{"hour.messages": (used, limit)}"""
        return {f'{row["window"]}.{row["measure"]}': (row["used"], row["limit"])
                for row in self.api.items("/v1/usage", account=account) if row.get("stream", "") == stream}

    def test_R96_each_window_refuses_in_its_way(self):
        for window, code in (("minute", "451 4.7.1"), ("hour", "451 4.7.1"), ("day", "550 5.7.1"),
                             ("month", "550 5.7.1")):
            with self.subTest(window):
                self.add_account(window, identity="observe", **{f"limit.{window}.messages": 2})
                within_a_window()
                for _ in range(2):
                    self.assertRegex(self.answer(window), "^250 ")
                answer = self.answer(window)
                self.assertRegex(answer, rf"^{re.escape(code)} \[QUOTA-{window.upper()}\] account {window} .* 2 "
                                         rf"messages an? {window} .*{DATE}")
                self.assertEqual(self.used(window)[f"{window}.messages"], (2, 2))

    def test_R96_by_option_a_day_answers_451(self):
        self.set("accounts/shop", quota_451=True, limit__day__messages=1)
        self.assertRegex(self.answer(), "^250 ")
        self.assertRegex(self.answer(), r"^451 4\.7\.1 \[QUOTA-DAY\]")

    def test_R96_each_measure(self):
        three = [f"r{i}@dest.test" for i in range(3)]
        for measure, limit, good, bad in (("recipients", 4, three, ["a@dest.test", "b@dest.test"]),
                                          ("distinct", 3, three, ["r9@dest.test"]),
                                          ("bytes", 600, ["x@dest.test"], None)):
            with self.subTest(measure):
                self.add_account(measure, identity="observe", **{f"limit.day.{measure}": limit})
                self.assertRegex(self.answer(measure, good), "^250 ")
                content = MESSAGE if bad else MESSAGE + b"x" * 70 * 9 + b"\r\n"
                self.assertRegex(self.answer(measure, bad or good, content), r"^550 5\.7\.1 \[QUOTA-DAY\]")
                self.assertRegex(self.answer(measure, three[:1]), "^250 ", "what fits, still fits")

    def test_R96_a_warning_before_the_end(self):
        self.set("accounts/shop", limit__day__messages=5, soft_percent=60)
        answers = [self.answer() for _ in range(5)]
        warned = [bool("[QUOTA-SOFT]" in answer) for answer in answers]
        self.assertEqual(warned, [False, False, True, False, False], "once, where it is passed")
        self.assertRegex(answers[2], r"^250 2\.0\.0 .*\[QUOTA-SOFT\] account shop has used 3 of 5 messages .*day")

    def test_R96_limits_of_those_above_and_of_streams(self):
        self.set("accounts/shop", limit__day__messages=3)
        self.add_account("branch", parent="shop", identity="observe")
        self.assertRegex(self.answer("branch"), "^250 ")
        self.api.post("/v1/accounts/shop/streams", name="news", settings={"limit.day.messages": 1})
        self.add_credential("news", "shop", stream="news")
        self.assertRegex(self.answer("news"), "^250 ")
        self.assertRegex(self.answer("news"), r"^550 .*\[QUOTA-DAY\] stream news of account shop ")
        self.assertRegex(self.answer("branch"), "^250 ")
        self.assertRegex(self.answer("branch"), r"^550 .*\[QUOTA-DAY\] account shop ")
        self.assertEqual(self.used()["day.messages"], (3, 3))
        self.assertEqual(self.used("branch")["day.messages"][0], 2)
        self.assertEqual(self.used(stream="news")["day.messages"], (1, 1))
        rows = json.loads(self.baton.cli("account", "usage", "shop", "-o", "json"))
        self.assertIn(("day", "messages", 3, 3), [tuple(row[key] for key in ("window", "measure", "used", "limit"))
                                                  for row in rows])

    def test_R96_what_is_refused_is_not_counted(self):
        self.set("accounts/shop", limit__day__messages=5)
        with self.client("shop") as client:
            client.mail("ann@sender.test", ["bob@dest.test"], b"From: a@b.test\r\nFrom: c@d.test\r\n\r\n")
            client.ask("MAIL FROM:<ann@sender.test>")
            client.ask("RCPT TO:<bob@dest.test>")
            client.ask("RSET")
        self.set("accounts/shop", identity="enforce")
        self.assertRegex(self.answer(), "^550 ")
        self.assertEqual(self.used().get("day.messages", (0, 5))[0], 1, "the first alone, which was observed")

    def test_A10_counts_are_exact_after_kill(self):
        self.set("accounts/shop", limit__day__messages=1000, limit__day__distinct=1000)
        for i in range(1, 4):
            self.assertRegex(self.answer(to=[f"r{i}@dest.test", "bob@dest.test"]), "^250 ")
        self.baton.wait_for_empty_queue()
        expected = (3, 1000), (4, 1000)
        (core,) = self.baton.role_pids()["core"]
        os.kill(core, signal.SIGKILL)
        net.wait_until(lambda: self.baton.role_pids().get("core", [core]) != [core], 20, "core again")
        self.assertEqual(net.wait_until(self.day, 20, "usage"), expected)
        self.baton.kill()
        self.baton.start()
        self.assertEqual(net.wait_until(self.day, 20, "usage"), expected)
        self.baton.stop()
        self.baton.start()
        self.assertEqual(net.wait_until(self.day, 20, "usage"), expected)

    def day(self):
        try:
            used = self.used()
        except OSError:
            return None
        except Exception as error:  # core or the directory may not be there yet
            if getattr(error, "status", 0) in (404, 503):
                return None
            raise
        return (used["day.messages"], used["day.distinct"]) if "day.messages" in used else None

    def test_A10_twenty_sessions_race_for_fifty(self):
        self.set("accounts/shop", limit__day__messages=50, soft_percent=0)

        def run(_):
            answers = []
            with self.client("shop") as client:
                for _ in range(5):
                    answers.append(client.mail("ann@sender.test", ["bob@dest.test"], MESSAGE)[1])
            return answers
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = [answer for each in pool.map(run, range(20)) for answer in each]
        self.assertEqual(sum(answer.startswith("250") for answer in answers), 50)
        self.assertEqual(sum("[QUOTA-DAY]" in answer for answer in answers), 50)
        self.assertEqual(self.used()["day.messages"], (50, 50))
        self.assertEqual(len(self.server.wait_for(50)), 50)

    def test_A10_no_more_than_the_limit_though_core_is_killed_meanwhile(self):
        self.set("accounts/shop", limit__day__messages=30, soft_percent=0)
        said_yes = 0
        deadline = time.monotonic() + 40
        killed = False
        while time.monotonic() < deadline:
            try:
                answer = self.answer()
            except (Gone, OSError, AssertionError):
                continue  # nobody is there; of this message nothing is known
            said_yes += answer.startswith("250")
            if said_yes == 15 and not killed:
                killed = True
                for pid in self.baton.role_pids().get("core", []):
                    os.kill(pid, signal.SIGKILL)
            if "[QUOTA-DAY]" in answer:
                break
        self.assertTrue(killed)
        self.assertRegex(answer, r"\[QUOTA-DAY\]")
        self.assertLessEqual(said_yes, 30)
        used = self.used()["day.messages"][0]
        self.assertEqual(used, 30)
        self.assertGreaterEqual(said_yes, 29, "at most the one in hand was not heard of")
