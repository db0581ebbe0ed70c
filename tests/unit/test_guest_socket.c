/* links: agent/guest_socket.c agent/guest_dir.c agent/base/err.c agent/base/link_types.c */
/* The agent's way to a QEMU, on sockets in a folder of the test. */
#include "agent/guest_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char run_dir[32];
	struct guest_dir dir;
	char qemu[GUEST_PATH_SIZE], relay[GUEST_PATH_SIZE];
	int fd; /* of the last connection */
	int connected, refused;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->run_dir, "/tmp/test_guest.XXXXXX");
	assert_non_null(mkdtemp(f->run_dir));
	f->dir = (struct guest_dir){ f->run_dir, "web01", getuid(), getgid() };
	f->fd = -1;
	assert_int_equal(guest_dir_make(&f->dir, &f->err), 0);
	assert_int_equal(guest_dir_path(&f->dir, GUEST_END_QEMU, f->qemu, &f->err), 0);
	assert_int_equal(guest_dir_path(&f->dir, GUEST_END_RELAY, f->relay, &f->err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[64];

	if (f->fd >= 0)
		close(f->fd);
	unlink(f->qemu);
	unlink(f->relay);
	for (const char **name = (const char *[]){ "guests/web01", "guests", "", NULL }; *name;
	     name++) {
		snprintf(path, sizeof(path), "%s/%s", f->run_dir, *name);
		rmdir(path);
	}
	free(f);
	return 0;
}

/* A QEMU at its socket; it listens when it is of a stream. */
static int qemu_up(struct fixture *f, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, f->qemu);
	assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(s, 1), 0);
	return s;
}

static void assert_dial(struct fixture *f, enum peer_kind kind, int code)
{
	int fd = -1;

	assert_int_equal(guest_dir_dial(&f->dir, kind, &fd, &f->err), code);
	assert_int_equal(fd >= 0, code == 0);
	if (fd >= 0)
		close(fd);
}

static void only_the_owner_may_enter(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[GUEST_PATH_SIZE];

	assert_int_equal(guest_dir_name(&f->dir, path, &f->err), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(guest_dir_make(&f->dir, &f->err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_stream_is_connected_when_there_is_a_qemu(void **state)
{
	struct fixture *f = *state;
	int s;

	assert_dial(f, PEER_STREAM, -ENOENT);
	s = qemu_up(f, SOCK_STREAM);
	assert_dial(f, PEER_STREAM, 0);
	close(s);
	assert_dial(f, PEER_STREAM, -ECONNREFUSED);
}

static void datagrams_go_both_ways(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un relay = { .sun_family = AF_UNIX };
	int s = qemu_up(f, SOCK_DGRAM);
	char got[8];

	assert_int_equal(guest_dir_dial(&f->dir, PEER_DGRAM, &f->fd, &f->err), 0);
	assert_int_equal(send(f->fd, "in", 2, 0), 2);
	assert_int_equal(recv(s, got, sizeof(got), 0), 2);
	strcpy(relay.sun_path, f->relay);
	assert_int_equal(sendto(s, "out", 3, 0, (struct sockaddr *)&relay, sizeof(relay)), 3);
	assert_int_equal(recv(f->fd, got, sizeof(got), 0), 3);
	/* A worker after this one takes the name over. */
	assert_dial(f, PEER_DGRAM, 0);
	close(s);
}

/* Whoever owns the folder must not be able to send the agent elsewhere. */
static void what_is_no_socket_of_the_owner_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char elsewhere[GUEST_PATH_SIZE + 8];
	int s = qemu_up(f, SOCK_STREAM);

	snprintf(elsewhere, sizeof(elsewhere), "%s.real", f->qemu);
	assert_int_equal(rename(f->qemu, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, f->qemu), 0);
	assert_dial(f, PEER_STREAM, -EPERM);
	unlink(f->qemu);
	assert_int_equal(mkfifo(f->qemu, 0600), 0);
	assert_dial(f, PEER_STREAM, -EPERM);
	unlink(f->qemu);
	assert_int_equal(rename(elsewhere, f->qemu), 0);
	assert_dial(f, PEER_STREAM, 0);
	if (getuid() == 0) {
		assert_int_equal(chown(f->qemu, 65534, 65534), 0);
		assert_dial(f, PEER_STREAM, -EPERM);
	}
	close(s);
}

static void a_run_dir_that_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[GUEST_PATH_SIZE], long_dir[GUEST_PATH_SIZE];

	memset(long_dir, 'd', sizeof(long_dir) - 1);
	long_dir[sizeof(long_dir) - 1] = '\0';
	f->dir.run_dir = long_dir;
	assert_int_equal(guest_dir_path(&f->dir, GUEST_END_RELAY, path, &f->err), -ENAMETOOLONG);
	long_dir[GUEST_PATH_SIZE - 1 - strlen("/guests/web01/relay.sock")] = '\0';
	assert_int_equal(guest_dir_path(&f->dir, GUEST_END_RELAY, path, &f->err), 0);
}

/* ---- the handle ----------------------------------------------------------------------------- */

static void on_connected(void *data, int fd)
{
	struct fixture *f = data;

	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->connected++;
}

static void on_refused(void *data, const char *why)
{
	struct fixture *f = data;

	assert_true(strlen(why) > 0);
	f->refused++;
}

static void run_until(uv_loop_t *loop, const int *count, int wanted)
{
	/* Not UV_RUN_ONCE: it waits for more after the timer that was waited for. */
	while (*count < wanted) {
		uv_run(loop, UV_RUN_NOWAIT);
		poll(NULL, 0, 1);
	}
}

/* A QEMU that comes later, is started again, and a worker that is another. */
static void it_connects_whenever_there_is_a_qemu(void **state)
{
	struct fixture *f = *state;
	struct guest_socket_conf conf = { f->dir, PEER_STREAM, on_connected, on_refused, f };
	struct guest_socket *guest;
	uv_loop_t loop;
	int s;

	uv_loop_init(&loop);
	assert_int_equal(guest_socket_open(&loop, &conf, &guest, &f->err), 0);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(f->connected, 0);

	s = qemu_up(f, SOCK_STREAM);
	run_until(&loop, &f->connected, 1);
	guest_socket_dial(guest);
	run_until(&loop, &f->connected, 2);

	close(s);
	unlink(f->qemu);
	assert_int_equal(mkfifo(f->qemu, 0600), 0);
	run_until(&loop, &f->refused, 1);
	unlink(f->qemu);
	s = qemu_up(f, SOCK_STREAM);
	run_until(&loop, &f->connected, 3);
	assert_int_equal(f->refused, 1);

	guest_socket_close(guest);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_owner_may_enter),
		TEST(a_stream_is_connected_when_there_is_a_qemu),
		TEST(datagrams_go_both_ways),
		TEST(what_is_no_socket_of_the_owner_is_left_alone),
		TEST(a_run_dir_that_is_too_long_is_refused),
		TEST(it_connects_whenever_there_is_a_qemu),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
