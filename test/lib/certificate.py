# SPDX-License-Identifier: Apache-2.0
"""A self-signed certificate for the loopback network, made once a run."""

import atexit
import pathlib
import shutil
import ssl
import subprocess
import tempfile

_folder = None


def folder():
    """Holds cert.pem and key.pem, good for localhost, *.test and 127.0.0.1."""
    global _folder
    if _folder is None:
        _folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-cert-"))
        _folder.chmod(0o755)
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", _folder / "key.pem", "-out", _folder / "cert.pem", "-days", "30", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,DNS:*.test,IP:127.0.0.1,IP:::1"],
            check=True, capture_output=True)
        (_folder / "key.pem").chmod(0o600)
    return _folder


def cert_file():
    return folder() / "cert.pem"


def key_file():
    return folder() / "key.pem"


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file(), key_file())
    return context


def client_context():
    return ssl.create_default_context(cafile=cert_file())
