# SPDX-License-Identifier: Apache-2.0
"""SASL as a client speaks it: SCRAM-SHA-256 (RFC 5802, RFC 7677), LOGIN and PLAIN, over a lib.client.Client."""

import base64
import hashlib
import hmac
import os


def b64(octets):
    return base64.b64encode(octets if isinstance(octets, bytes) else octets.encode()).decode()


def plain(client, user, secret):
    return client.ask("AUTH PLAIN " + b64(f"\0{user}\0{secret}"))


def login(client, user, secret):
    answer = client.ask("AUTH LOGIN " + b64(user))
    return client.ask(b64(secret)) if answer.startswith("334") else answer


def _hmac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def scram(client, user, secret):
    """The last reply; the server's own proof is verified on the way."""
    first = f"n={user},r=" + b64(os.urandom(15))
    answer = client.ask("AUTH SCRAM-SHA-256 " + b64("n,," + first))
    if not answer.startswith("334 "):
        return answer
    challenge = base64.b64decode(answer[4:]).decode()
    fields = dict(part.split("=", 1) for part in challenge.split(","))
    without_proof = "c=biws,r=" + fields["r"]
    auth = ",".join((first, challenge, without_proof)).encode()
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    key = _hmac(salted, b"Client Key")
    signature = _hmac(hashlib.sha256(key).digest(), auth)
    proof = bytes(a ^ b for a, b in zip(key, signature))
    answer = client.ask(b64(f"{without_proof},p={b64(proof)}"))
    if not answer.startswith("334 "):
        return answer
    expected = "v=" + b64(_hmac(_hmac(salted, b"Server Key"), auth))
    assert base64.b64decode(answer[4:]).decode() == expected, "the server does not know the secret"
    return client.ask("")
