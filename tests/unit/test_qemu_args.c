/* links: agent/base/link_types.c agent/qemu_args.c agent/base/hint.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c */
#include "agent/qemu_args.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct qemu_tap one = {
	.link = "web01",
	.ifindex = 7,
	.mac = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc },
	.queues = 1,
	.fds = { 3 },
};

static const struct qemu_tap two = {
	.link = "web01",
	.ifindex = 7,
	.mac = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc },
	.queues = 2,
	.fds = { 3, 14 },
};

static const struct qemu_tap one_vhost = {
	.link = "web01",
	.ifindex = 7,
	.queues = 1,
	.fds = { 3 },
	.vhost_fds = { 4 },
	.vhost = true,
};

static const struct qemu_tap two_vhost = {
	.link = "web01",
	.ifindex = 7,
	.queues = 2,
	.fds = { 3, 4 },
	.vhost_fds = { 5, 6 },
	.vhost = true,
};

static const struct qemu_tap odd_name = {
	.link = "web01,x=y", .ifindex = 7, .queues = 1, .fds = { 3 }
};
static const struct qemu_tap digit_name = {
	.link = "1web", .ifindex = 7, .queues = 1, .fds = { 3 }
};

static const struct qemu_tap in_path = {
	.link = "web01",
	.ifindex = 7,
	.queues = 1,
	.in_path = true,
	.peer = PEER_STREAM,
	.here = "/run/a,b/qemu.sock",
};
static const struct qemu_tap in_path_dgram = {
	.link = "web01",
	.ifindex = 7,
	.queues = 1,
	.in_path = true,
	.peer = PEER_DGRAM,
	.here = "/run/q",
	.there = "/run/r",
};

static void words(void **state)
{
	static const struct {
		const struct qemu_tap *tap;
		char *word;
		const char *expected;
	} cases[] = {
		{ &one, "{netdev}", "tap,id=web01,fd=3" },
		{ &in_path, "{netdev}",
		  "stream,id=web01,server=on,addr.type=unix,addr.path=/run/a,,b/qemu.sock" },
		{ &in_path_dgram, "{netdev}",
		  "dgram,id=web01,local.type=unix,local.path=/run/q,remote.type=unix,remote.path=/run/r" },
		{ &two, "{netdev}", "tap,id=web01,fds=3:14" },
		{ &one_vhost, "{netdev}", "tap,id=web01,fd=3,vhost=on,vhostfd=4" },
		{ &two_vhost, "{netdev}", "tap,id=web01,fds=3:4,vhost=on,vhostfds=5:6" },
		{ &one, "{device}", "virtio-net-pci,netdev=web01,mac=52:54:00:aa:bb:cc" },
		{ &two, "{device}",
		  "virtio-net-pci,netdev=web01,mac=52:54:00:aa:bb:cc,mq=on,vectors=6" },
		/* Not to be taken for options of QEMU, nor for no id. */
		{ &odd_name, "{netdev}", "tap,id=tap7,fd=3" },
		{ &odd_name, "{device}", "virtio-net-pci,netdev=tap7,mac=00:00:00:00:00:00" },
		{ &odd_name, "{link}", "web01,x=y" },
		{ &digit_name, "{netdev}", "tap,id=tap7,fd=3" },
		{ &two, "{fds}", "3:14" },
		{ &two_vhost, "{vhostfds}", "5:6" },
		{ &one, "{mac}", "52:54:00:aa:bb:cc" },
		{ &two, "{queues}", "2" },
		{ &one, "{device},bootindex=1",
		  "virtio-net-pci,netdev=web01,"
		  "mac=52:54:00:aa:bb:cc,bootindex=1" },
		{ &two, "{link}{queues}-{link}", "web012-web01" },
		/* Other braces. */
		{ &one, "", "" },
		{ &one, "{", "{" },
		{ &one, "}", "}" },
		{ &one, "{}", "{}" },
		{ &one, "{ mac }", "{ mac }" },
		{ &one, "{mac", "{mac" },
		{ &one, "{1}{a-b}{a,b}", "{1}{a-b}{a,b}" },
		{ &one, "${mac} ${HOME}", "${mac} ${HOME}" },
		{ &one, "{\"driver\":\"virtio-net-pci\",\"mac\":\"{mac}\"}",
		  "{\"driver\":\"virtio-net-pci\",\"mac\":\"52:54:00:aa:bb:cc\"}" },
		{ &one, "{{mac}}", "{52:54:00:aa:bb:cc}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *const in[] = { "first", cases[i].word, "last", NULL };
		char **out;

		assert_int_equal(qemu_args_make(in, cases[i].tap, &out, NULL), 0);
		assert_string_equal(out[0], "first");
		assert_string_equal(out[1], cases[i].expected);
		assert_string_equal(out[2], "last");
		assert_null(out[3]);
		qemu_args_free(out);
	}
}

/* Found before anything is opened. */
static void refused(void **state)
{
	static const struct {
		char *word;
		const char *expected; /* "": none */
	} cases[] = {
		{ "{netdev}", "" },
		{ "fds={fds}", "" },
		{ "{netdeb}{fds}", "there is no {netdeb}: did you mean {netdev}?" },
		{ "{netdev},{MAC}",
		  "there is no {MAC}: it is one of {netdev} {device} {fds} {vhostfds} {mac} "
		  "{queues} {link}" },
		{ "{device}",
		  "the command has neither {netdev} nor {fds}, and would not know which "
		  "descriptors are the tap's" },
		{ "${fds}", "the command has neither {netdev} nor {fds}, and would not know which "
			    "descriptors are the tap's" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *const in[] = { "qemu", cases[i].word, NULL };
		struct err err = { "" };

		assert_int_equal(qemu_args_check(in, &err), *cases[i].expected ? -EINVAL : 0);
		assert_string_equal(err.text, cases[i].expected);
	}
}

static void no_vhost_to_name(void **state)
{
	char *const in[] = { "qemu", "{fds}", "{vhostfds}", NULL };
	char **out = NULL;
	struct err err;

	(void)state;
	assert_int_equal(qemu_args_make(in, &one, &out, &err), -EINVAL);
	assert_string_equal(err.text, "the command has {vhostfds}, and there is no vhost here");
	assert_null(out);
}

static void long_name(void **state)
{
	char word[300];
	char *const in[] = { word, NULL };
	struct err err;

	(void)state;
	memset(word, 'x', sizeof(word));
	word[0] = '{';
	memcpy(word + sizeof(word) - 2, "}", 2);
	assert_int_equal(qemu_args_check(in, &err), -EINVAL);
	assert_memory_equal(err.text, "there is no {xxx", 16);
}

static void quoted(void **state)
{
	char *const in[] = {
		"qemu-x", "a b", "", "it's", "{\"a\":1}", "tap,id=w,fds=3:4", "*", NULL
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	qemu_args_quote(in, &out);
	assert_string_equal(out.data,
			    "qemu-x 'a b' '' 'it'\\''s' '{\"a\":1}' tap,id=w,fds=3:4 '*'");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_vhost_to_name),
		cmocka_unit_test(long_name),
		cmocka_unit_test(quoted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
