// SPDX-License-Identifier: Apache-2.0
/* io/process.h - what only super does: starting roles, binding sockets, signals; and what each role
 * does once: confine itself. Not simulated. */
#pragma once

#include "base/err.h"
#include "base/ip.h"

/* Re-executes our own binary (/proc/self/exe) with argv; the child gets exactly the descriptors
 * fds[0…count), as numbers 3, 4, …, plus 0-2. Everything else is close-on-exec. PR_SET_PDEATHSIG
 * SIGKILL. */
MUST_USE bool process_spawn(const char *const argv[], const int *fds, size_t fd_count, int *ret_pid,
                            struct err *err);
/* Exit of a child: called on the loop. */
void process_on_exit(void (*fn)(void *arg, int pid, int wait_status), void *arg);
/* SIGTERM, SIGINT, SIGHUP, SIGUSR1: called on the loop. SIGPIPE and SIGXFSZ are ignored from here
 * on. */
void process_on_signal(void (*fn)(void *arg, int signo), void *arg);
void process_kill(int pid, int signo);
/* A SOCK_SEQPACKET pair with buffers of 1 MiB where the system allows. */
MUST_USE bool process_socketpair(int ret_fds[2], struct err *err);
/* Binds and listens: TCP, or a UNIX path (mode 0660, group by id). */
MUST_USE bool process_listen_tcp(const struct endpoint *at, int *ret_fd, struct err *err);
MUST_USE bool process_listen_unix(const char *path, int group_id, int *ret_fd, struct err *err);
/* A sealed read-only memfd holding the bytes; and reading one whole. */
MUST_USE bool process_seal(const char *name, struct str bytes, int *ret_fd, struct err *err);
MUST_USE bool process_read_sealed(int fd, size_t max, char **ret, size_t *ret_len, struct err *err);
MUST_USE bool process_drop_to_user(const char *user, struct err *err);
/* The file at a path becomes that user's; root alone may do this. ERR_CONFIG: no such user. */
MUST_USE bool process_give_file(const char *path, const char *user, struct err *err);
/* What stands at a path, links followed: a regular file or not, and its permission bits. */
MUST_USE bool process_look_file(const char *path, bool *ret_is_file, unsigned *ret_mode,
                                struct err *err);
/* Of a connected UNIX socket. */
MUST_USE bool process_peer_ids(int fd, int *ret_uid, int *ret_gid, struct err *err);
/* 2 (stderr) or a file opened for appending becomes where log lines go, with the time in front, at
 * the end of each turn (alerts at once). After loop_init(). */
void process_log_to(int fd);
void process_log_flush(void);
/* Standard error, for us and every role started later, is this file from now on: opened for
 * appending, 0640. */
MUST_USE bool process_stderr_to(const char *path, struct err *err);
/* The same with a descriptor, which it takes. */
MUST_USE bool process_stderr_take(int fd, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE bool process_file_size(const char *path, uint64_t *ret, struct err *err);
/* PATH becomes PATH.1, PATH.1 becomes PATH.2 …; PATH.<keep>, the oldest, goes. */
MUST_USE bool process_file_put_aside(const char *path, unsigned keep, struct err *err);
/* Without the time: the lines are in a form that has its own. */
void process_log_bare(void);
/* Lines that could not be written since the start. */
uint64_t process_log_lost(void);
/* Raises RLIMIT_NOFILE to the hard limit; SCHED_BATCH when asked; no core dumps; memory not
 * dumpable. */
void process_prepare(bool sched_batch);
/* Of a group by name. ERR_NOT_FOUND. */
MUST_USE bool process_group_id(const char *name, int *ret, struct err *err);
/* Our own user and group. */
int process_user_id(void);
void process_close(int fd); /* negative: nothing */
/* A second descriptor for the same thing, close-on-exec; -1 for -1 and when there are none left. */
int process_duplicate(int fd);
/* Of the signals that process_on_signal() tells of: reload (SIGHUP), reopen the log (SIGUSR1), or
 * stop. */
bool process_signal_is_reload(int signo);
bool process_signal_is_reopen(int signo);
int process_self(void);
/* What ps, perf and the kernel's log call this process; at most 15 bytes are kept. */
void process_name(const char *name);
/* Of the interfaces of this machine, as far as there is room; 0 when they cannot be asked. Before
 * confinement. */
size_t process_addresses(struct ip *ret, size_t max);
/* What systemd is told, where it started us; ready also begins its watchdog, once. */
void process_notify_ready(void);
void process_notify_reloading(void);
void process_notify_stopping(void);
