// SPDX-License-Identifier: Apache-2.0
/* io/sandbox.h - a role takes away from itself what it does not need, once its threads run and its
 * maps exist: no_new_privs, a seccomp allow-list (killing; logging in sanitizer builds), Landlock.
 * No exec for anyone but super. */
#pragma once

#include "base/err.h"

enum sandbox_need { /* added to what every role may: memory without PROT_EXEC, epoll,
                       read/write/close on descriptors it has, its channels, clock, randomness,
                       threads it started */
                    SANDBOX_ACCEPT = 1 << 0,  /* accept4 on inherited listeners */
                    SANDBOX_CONNECT = 1 << 1, /* socket, connect: TCP and UDP out */
                    SANDBOX_FILES = 1 << 2, /* open, write, sync, rename inside the folders given */
                    SANDBOX_FILES_READ = 1 << 3,
                    SANDBOX_UNIX_ACCEPT = 1 << 4,
                    SANDBOX_UNIX_CONNECT = 1 << 5, /* with SANDBOX_CONNECT: UNIX sockets too */
};

struct sandbox_rule {
    unsigned needs;
    const char *write_folders[4]; /* NULL-terminated, Landlock read-write */
    const char *read_paths[8];    /* NULL-terminated, Landlock read-only: /etc/resolv.conf, … */
};

struct sandbox_state {
    bool no_new_privs;
    bool seccomp, seccomp_logs_only;
    int landlock_abi; /* 0: the kernel has none */
    bool dumpable;
    char missing[160]; /* words for people; empty when all is in force */
};

/* The Landlock part. The kernel applies it to the calling thread and to those started later, so a
 * role whose helper threads open files calls this before it starts them; the folders exist then.
 * Once a process. */
MUST_USE bool sandbox_enter_files(const struct sandbox_rule *rule, struct err *err);
/* Confines this process, with sandbox_enter_files() where that was not called before. Fails only
 * when what the kernel offers could not be put in force. */
MUST_USE bool sandbox_enter(const struct sandbox_rule *rule, struct sandbox_state *ret,
                            struct err *err);
/* Tries what must be refused (open of /etc/shadow, socket, exec, ptrace as far as not needed) in a
 * way that returns EPERM/EACCES instead of killing, and fails naming what was allowed. */
MUST_USE bool sandbox_self_test(const struct sandbox_rule *rule, const struct sandbox_state *state,
                                struct err *err);
