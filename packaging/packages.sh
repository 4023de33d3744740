# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
#
# packages.sh - installs Debian packages that are listed in files beside this one; for quickstart and check.
# The caller has defined say, die and as_root, and set privileged to yes or no.

# The packages of these lists that are not there, one a line.
packages_missing() { # FILE…
    local package command
    comm -23 <(
        sed '/^#/d' "$@" | while read -r package command; do
            [[ -n $command ]] && command -v "$command" >/dev/null || echo "$package"
        done | sort -u
    ) <(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | sed -n 's/ ii *$//p' | sort -u)
}

packages_install() { # FILE…
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say "this is no Debian: whether all of $* is there, the build will tell"
        return
    fi
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [[ -n $missing ]] || return 0
    [[ $privileged = yes ]] || die "these packages are missing, and only root can install them: $missing"
    say "installing from Debian: $missing"
    as_root apt-get update -q </dev/null >/dev/null ||
        say "apt-get update failed; trying with the lists that are there"
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $missing </dev/null >/dev/null || die "apt-get could not install: $missing"
}
