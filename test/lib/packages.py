# SPDX-License-Identifier: Apache-2.0
"""Debian packages that are fetched and unpacked, never installed: real mail servers to test against.

Debian's mail servers exclude one another, and one that the machine has must not be touched. So they are unpacked
together into a cache folder, which a private mount namespace lays over the machine's own files; what is started in
there sees itself installed, and nobody else sees it. That needs root's rights."""

import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from lib.baton import children

PACKAGES = ("postfix", "exim4-daemon-light", "exim4-base", "dovecot-core", "dovecot-imapd", "dovecot-lmtpd",
            "dovecot-pop3d", "knot", "swaks", "msmtp", "libnet-ssleay-perl", "libsasl2-modules", "curl",
            "opendkim", "opendkim-tools")
USERS = {  # what their packages would add
    "postfix": 931, "postdrop": 932, "dovecot": 933, "dovenull": 934, "Debian-exim": 935, "vmail": 936, "knot": 937,
    "opendkim": 938,
}
# The last line of sh: what was asked for, with root's eyes, as if it were installed.
ENTER = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/work" "$1/all"
cp -a "$4" "$1/upper"
mkdir -p "$1/upper/etc" "$1/upper/run"
cp "$2" "$1/upper/etc/passwd"
cp "$3" "$1/upper/etc/group"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/all"
for d in dev sys; do mount --rbind /$d "$1/all/$d"; done
mount -t proc proc "$1/all/proc"
mount -t tmpfs tmpfs "$1/all/run"
mount -t tmpfs tmpfs "$1/all/tmp"
mkdir -p "$1/all/$5"
mount --rbind "$5" "$1/all/$5"
root=$1/all
shift 5
exec chroot "$root" "$@"
"""


def cache_folder():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "baton-peers"


def _installed():
    listing = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"], capture_output=True,
                             text=True, check=True).stdout
    return {line.split()[1] for line in listing.splitlines() if line.startswith("installed ")}


def _libraries_missing(installed):
    """Libraries that PACKAGES need and that the machine lacks."""
    no = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
    tree = subprocess.run(["apt-cache", "depends", "--recurse", *no, *PACKAGES], capture_output=True, text=True,
                          check=True).stdout
    names = {line.strip() for line in tree.splitlines() if line and line[0] != " " and line[0] != "<"}
    # Of alternatives apt-cache names all; what belongs to installers and other inits is not meant.
    unfit = ("libelogind", "libbg", "libnewt", "libdebian-installer", "libtextwrap")
    return {name for name in names - installed
            if name.startswith("lib") and not name.startswith(unfit) and ":" not in name}


def _fetch(into):
    """Downloads and unpacks; skips the test in words when there is no network."""
    installed = _installed()
    wanted = sorted(set(PACKAGES) | _libraries_missing(installed))
    with tempfile.TemporaryDirectory(prefix="baton-debs-") as folder:
        os.chmod(folder, 0o777)
        done = subprocess.run(["apt-get", "download", "-qq", *wanted], cwd=folder, capture_output=True, text=True,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("Debian's packages cannot be fetched: "
                                    + (done.stderr.strip().splitlines() or ["no word why"])[-1])
        for package in sorted(pathlib.Path(folder).glob("*.deb")):
            subprocess.run(["dpkg", "-x", package, into], check=True)
    for name in ("bin", "lib", "sbin"):  # links on a real system, which a folder would hide
        if (into / name).is_dir():
            shutil.copytree(into / name, into / "usr" / name, dirs_exist_ok=True, symlinks=True)
            shutil.rmtree(into / name)


@functools.cache
def root_folder():
    """The unpacked packages; fetched once, kept between runs."""
    if os.getuid() != 0:
        raise unittest.SkipTest("real peers run in a mount namespace of their own, which needs root's rights")
    kept = cache_folder() / "root-2"
    if not kept.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        fresh = pathlib.Path(tempfile.mkdtemp(prefix="root-", dir=cache_folder()))
        try:
            fresh.chmod(0o755)
            _fetch(fresh)
            fresh.rename(kept)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return kept


def below(root):
    """Process ids of all that `root` has started, and of what those have, the latest first."""
    return [pid for child in children(root) for pid in (*below(child), child)]


class Machine:
    """A work folder, and the machine as it would look with the packages installed. Both see that folder."""

    def __init__(self):
        self.root = root_folder()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-peer-"))
        self.folder.chmod(0o755)
        self.processes = []
        atexit.register(self.stop)
        (self.folder / ".mount").mkdir()
        self._write_users()

    def _write_users(self):
        passwd, group = pathlib.Path("/etc/passwd").read_text(), pathlib.Path("/etc/group").read_text()
        for name, number in USERS.items():
            if f"\n{name}:" not in passwd:
                passwd += f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
            if f"\n{name}:" not in group:
                group += f"{name}:x:{number}:\n"
        (self.folder / ".passwd").write_text(passwd)
        (self.folder / ".group").write_text(group)

    def _command(self, words):
        place = self.folder
        # It ends with the tests, however they end; and all that it starts ends with it.
        return ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child",
                "--propagation", "private", "sh", "-c", ENTER, "sh", place / ".mount", place / ".passwd",
                place / ".group", self.root, place, *words]

    def run(self, *words, user_input=None, seconds=60, check=True):
        """Runs a program of the packages; returns what subprocess.run does."""
        done = subprocess.run(self._command(words), input=user_input, capture_output=True, timeout=seconds, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{words[0]} ended with {done.returncode}:\n"
                                 f"{done.stdout.decode('utf-8', 'replace')}{done.stderr.decode('utf-8', 'replace')}")
        return done

    def start(self, *words):
        """Starts a server in the foreground; stop() ends it and all that it started."""
        with open(self.folder / "output", "ab") as output:
            process = subprocess.Popen(self._command(words), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.processes.append(process)
        return process

    def output(self):
        texts = [path.read_text(errors="replace") for path in (self.folder / "output", self.folder / "log")
                 if path.is_file()]
        return "\n".join("\n".join(text.splitlines()[-40:]) for text in texts)

    def owned(self, name, user, mode=0o755):
        """A folder in the work folder that belongs to one of USERS."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        os.chown(path, USERS[user], USERS[user])
        return path

    def stop(self):
        for process in self.processes:
            # Postfix's master takes on its user's rights for a moment, and after that the kernel no longer ends it with
            # unshare.
            for pid in below(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.kill()  # unshare ignores kinder words; the namespace ends with it
            process.wait(20)
        self.processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
