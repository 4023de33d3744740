// SPDX-License-Identifier: Apache-2.0
/* io/process_test.c - starting a child, its end, signals, sockets and sealed bytes. Started again
 * with an argument, this program is the child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/loop.h"
#include "io/machine.h"
#include "io/process.h"

/* The child: says on descriptor 3 what it finds, ends with 7. */
static int child_main(void)
{
    char word[16];
    struct stat st;
    sigset_t blocked;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    ssize_t n = read(4, word, sizeof word);
    bool good = n == 5 && fstat(5, &st) < 0 && !sigismember(&blocked, SIGTERM);
    return write(3, good ? "good" : "bad!", 4) == 4 ? 7 : 8;
}

static struct {
    int pid, status, count;
} ended;

static void on_exit_seen(void *arg, int pid, int status)
{
    (void)arg;
    ended.pid = pid;
    ended.status = status;
    ended.count++;
}

static void spawned_child_gets_its_descriptors(void **state)
{
    const char *const argv[] = { "process_test", "child", NULL };
    int link[2], words[2], pid = 0;
    char said[5] = "";
    struct err err = { 0 };

    (void)state;
    assert_true(process_socketpair(link, &err));
    assert_int_equal(pipe(words), 0);
    assert_int_equal(write(words[1], "hello", 5), 5);
    process_on_exit(on_exit_seen, NULL);
    /* 4 before 3 by number or not: each must land at its place. */
    int fds[] = { link[1], words[0] };
    assert_true(process_spawn(argv, fds, 2, &pid, &err));
    close(link[1]);
    while (ended.count == 0)
        loop_turn(1000);
    assert_int_equal(ended.pid, pid);
    assert_true(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 7);
    assert_int_equal(read(link[0], said, 4), 4);
    assert_string_equal(said, "good");
    close(link[0]);
    close(words[0]);
    close(words[1]);
}

static void spawn_refuses_a_closed_descriptor(void **state)
{
    const char *const argv[] = { "process_test", "child", NULL };
    const int fds[] = { 999 };
    int pid = 0;
    struct err err = { 0 };

    (void)state;
    assert_false(process_spawn(argv, fds, 1, &pid, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(err.sys, EBADF);
    assert_int_equal(pid, 0);
}

static int signal_seen;

static void on_signal_seen(void *arg, int signo)
{
    (void)arg;
    signal_seen = signo;
}

static void signals_come_on_the_loop(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

    (void)state;
    process_on_signal(on_signal_seen, NULL);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        signal_seen = 0;
        process_kill(getpid(), signals[i]);
        while (signal_seen == 0)
            loop_turn(1000);
        assert_int_equal(signal_seen, signals[i]);
    }
}

/* Sealed bytes
 * ---------------------------------------------------------------------------------------------------
 */

static void sealed_bytes_come_back(void **state)
{
    const struct str text = STR("hostname: relay.example\n");
    char *bytes = NULL;
    size_t len = 0;
    int fd = -1;
    struct err err = { 0 };

    (void)state;
    assert_true(process_seal("config", text, &fd, &err));
    assert_true(write(fd, "x", 1) < 0 && errno == EPERM);
    assert_true(ftruncate(fd, 0) < 0 && errno == EPERM);
    assert_true(process_read_sealed(fd, 100, &bytes, &len, &err));
    assert_true(str_eq(str_make(bytes, len), text));
    free(bytes);
    bytes = NULL;
    assert_false(process_read_sealed(fd, text.len - 1, &bytes, &len, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_null(bytes);
    close(fd);
}

static void unsealed_bytes_are_refused(void **state)
{
    static const int seals[] = { 0, F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
    char *bytes = NULL;
    size_t len = 0;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_true(fd >= 0 && fcntl(fd, F_ADD_SEALS, seals[i]) == 0);
        assert_false(process_read_sealed(fd, 100, &bytes, &len, &err));
        assert_int_equal(err.kind, ERR_DENIED);
        close(fd);
    }
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_false(process_read_sealed(fd, 100, &bytes, &len, &err));
    assert_int_equal(err.kind, ERR_IO);
    close(fd);
}

/* Sockets
 * --------------------------------------------------------------------------------------------------------
 */

static void tcp_port_is_taken_once(void **state)
{
    struct endpoint at = { .ip = ip_make4((const uint8_t[4]){ 127, 0, 0, 1 }) };
    struct sockaddr_in bound;
    socklen_t len = sizeof bound;
    int fd = -1, second = -1;
    struct err err = { 0 };

    (void)state;
    assert_true(process_listen_tcp(&at, &fd, &err));
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
    at.port = (uint16_t)(bound.sin_port >> 8 | bound.sin_port << 8);
    assert_false(process_listen_tcp(&at, &second, &err));
    assert_int_equal(err.sys, EADDRINUSE);
    assert_non_null(strstr(err.text, "127.0.0.1:"));
    close(fd);
}

static char folder[] = "/tmp/baton-process-test-XXXXXX";

static void unix_path(char path[128])
{
    snprintf(path, 128, "%s/api", folder);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void unix_socket_knows_its_peer(void **state)
{
    char path[128];
    struct stat st;
    int fd = -1, uid = -1, gid = -1;
    struct err err = { 0 };

    (void)state;
    unix_path(path);
    assert_true(process_listen_unix(path, (int)getgid(), &fd, &err));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    int client = connect_unix(path);
    int served = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(process_peer_ids(served, &uid, &gid, &err));
    assert_int_equal(uid, getuid());
    assert_int_equal(gid, getgid());
    close(client);
    close(served);
    close(fd);
}

static void c17_unix_socket_stale_or_taken(void **state)
{
    char path[128];
    int fd = -1, second = -1;
    struct err err = { 0 };

    (void)state;
    unix_path(path);
    assert_true(
        process_listen_unix(path, -1, &fd, &err)); /* over the stale one of the test before */
    assert_false(process_listen_unix(path, -1, &second, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    close(fd);
    unlink(path);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_false(process_listen_unix(path, -1, &second, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    unlink(path);
}

static void unix_path_has_a_limit(void **state)
{
    char path[200];
    int fd = -1;
    struct err err = { 0 };

    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(process_listen_unix(path, -1, &fd, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_false(process_listen_unix("", -1, &fd, &err));
}

static void unknown_user_is_said(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_false(process_drop_to_user("no-such-user-here", &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_false(process_give_file("/nonexistent", "no-such-user-here", &err));
    assert_int_equal(err.kind, ERR_CONFIG);
}

static void file_is_given_to_a_user(void **state)
{
    char path[] = "/tmp/baton-give-XXXXXX";
    struct stat st;
    struct err err = { 0 };

    (void)state;
    close(mkstemp(path));
    if (geteuid() == 0) {
        assert_true(process_give_file(path, "nobody", &err));
        assert_int_equal(stat(path, &st), 0);
        assert_int_not_equal(st.st_uid, 0);
    } else {
        assert_false(process_give_file(path, "root", &err));
    }
    unlink(path);
    assert_false(process_give_file(path, "root", &err));
    assert_int_equal(err.kind, ERR_IO);
}

static void machine_tells_its_disk_and_clock(void **state)
{
    struct machine_disk disk;
    struct machine_clock clock;
    struct err err = { 0 };

    (void)state;
    assert_true(machine_disk("/tmp", &disk, &err));
    assert_true(disk.bytes > 0 && disk.free_bytes <= disk.bytes);
    assert_true(disk.free_files <= disk.files);
    assert_false(machine_disk("/nonexistent", &disk, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_true(machine_clock(&clock, &err));
    assert_true(clock.error_max_us >= 0);
}

static void log_lines_go_to_the_descriptor(void **state)
{
    int words[2];
    char text[512] = "";

    (void)state;
    assert_int_equal(pipe(words), 0);
    process_log_to(words[1]);
    log_text(LOG_ALERT, "test", "one");
    log_set_sink(NULL, NULL);
    ssize_t n = read(words[0], text, sizeof text - 1);
    assert_true(n > 0 && text[n - 1] == '\n');
    assert_non_null(strstr(text, "event=test"));
    close(words[0]);
    close(words[1]);
}

/* What a file holds, "" when it is not there. */
static const char *content_of(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, to, size - 1);

    to[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return to;
}

static void r92_file_is_put_aside(void **state)
{
    char path[128], older[3][160], text[16];
    struct err err = { 0 };
    uint64_t size = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/log", folder);
    for (int i = 0; i < 3; i++)
        snprintf(older[i], sizeof older[i], "%s.%d", path, i + 1);
    for (int round = 1; round <= 4; round++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, &"1234"[round - 1], 1), 1);
        close(fd);
        assert_true(process_file_size(path, &size, &err));
        assert_int_equal(size, 1);
        assert_true(process_file_put_aside(path, 2, &err));
    }
    assert_false(process_file_size(path, &size, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_string_equal(content_of(older[0], text, sizeof text), "4");
    assert_string_equal(content_of(older[1], text, sizeof text), "3");
    assert_string_equal(content_of(older[2], text, sizeof text), "");
    unlink(older[0]);
    unlink(older[1]);
}

static void r92_what_cannot_be_put_aside_stays(void **state)
{
    char path[128], in_the_way[160];
    struct err err = { 0 };
    uint64_t size;

    (void)state;
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(in_the_way, sizeof in_the_way, "%s.1", path);
    close(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    assert_false(process_file_put_aside(path, 1, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_true(process_file_size(path, &size, &err));
    unlink(path);
    rmdir(in_the_way);
}

static int prepare(void **state)
{
    (void)state;
    loop_init();
    return mkdtemp(folder) ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void look_tells_kind_and_mode(void **state)
{
    char path[128];
    bool is_file = false;
    unsigned mode = 0;
    struct err err = { 0 };

    (void)state;
    snprintf(path, sizeof path, "/tmp/baton_look_test_%d", (int)getpid());
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_true(process_look_file(path, &is_file, &mode, &err));
    assert_true(is_file);
    assert_int_equal(mode, 0640);
    assert_true(process_look_file("/tmp", &is_file, &mode, &err));
    assert_false(is_file);
    close(fd);
    unlink(path);
    assert_false(process_look_file(path, &is_file, &mode, &err));
    assert_int_equal(err.kind, ERR_IO);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawned_child_gets_its_descriptors),
        cmocka_unit_test(spawn_refuses_a_closed_descriptor),
        cmocka_unit_test(signals_come_on_the_loop),
        cmocka_unit_test(sealed_bytes_come_back),
        cmocka_unit_test(unsealed_bytes_are_refused),
        cmocka_unit_test(tcp_port_is_taken_once),
        cmocka_unit_test(unix_socket_knows_its_peer),
        cmocka_unit_test(c17_unix_socket_stale_or_taken),
        cmocka_unit_test(unix_path_has_a_limit),
        cmocka_unit_test(unknown_user_is_said),
        cmocka_unit_test(file_is_given_to_a_user),
        cmocka_unit_test(machine_tells_its_disk_and_clock),
        cmocka_unit_test(look_tells_kind_and_mode),
        cmocka_unit_test(log_lines_go_to_the_descriptor),
        cmocka_unit_test(r92_file_is_put_aside),
        cmocka_unit_test(r92_what_cannot_be_put_aside_stays),
    };

    if (argc == 2 && strcmp(argv[1], "child") == 0)
        return child_main();
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
