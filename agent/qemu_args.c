#include "agent/qemu_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hint.h"

/* The kernel takes no longer word (MAX_ARG_STRLEN, execve(2)). */
#define WORD_MAX (128u << 10)

static void add_numbers(const int *numbers, unsigned int n, struct buf *out)
{
	for (unsigned int i = 0; i < n; i++)
		buf_addf(out, "%s%d", i ? ":" : "", numbers[i]);
}

/* What QEMU takes as an id (id_wellformed()) is not all that the kernel takes as a name. */
static void add_id(const struct qemu_tap *tap, struct buf *out)
{
	bool good = isalpha((unsigned char)tap->link[0]);

	for (const char *p = tap->link; *p; p++)
		good = good && (isalnum((unsigned char)*p) || strchr("-._", *p));
	if (good)
		buf_adds(out, tap->link);
	else
		buf_addf(out, "tap%u", tap->ifindex);
}

static void add_fds(const struct qemu_tap *tap, struct buf *out)
{
	add_numbers(tap->fds, tap->queues, out);
}

static void add_vhost_fds(const struct qemu_tap *tap, struct buf *out)
{
	add_numbers(tap->vhost_fds, tap->queues, out);
}

static void add_mac(const struct qemu_tap *tap, struct buf *out)
{
	char mac[MAC_TEXT_MAX];

	format_mac(mac, tap->mac);
	buf_adds(out, mac);
}

static void add_queues(const struct qemu_tap *tap, struct buf *out)
{
	buf_addf(out, "%u", tap->queues);
}

static void add_link(const struct qemu_tap *tap, struct buf *out)
{
	buf_adds(out, tap->link);
}

/* In a value of qemu-system(1) a comma is two. */
static void add_path(const char *path, struct buf *out)
{
	for (; *path; path++) {
		buf_addc(out, *path);
		if (*path == ',')
			buf_addc(out, ',');
	}
}

/* With server=on QEMU takes one connection after the other: a new worker is no end of it. */
static void add_socket(const struct qemu_tap *tap, struct buf *out)
{
	buf_addf(out, "%s,id=", peer_kind_names[tap->peer]);
	add_id(tap, out);
	if (tap->peer == PEER_STREAM) {
		buf_adds(out, ",server=on,addr.type=unix,addr.path=");
		add_path(tap->here, out);
		return;
	}
	buf_adds(out, ",local.type=unix,local.path=");
	add_path(tap->here, out);
	buf_adds(out, ",remote.type=unix,remote.path=");
	add_path(tap->there, out);
}

/* QEMU wants the singular with one queue: fds= and vhostfds= would ask for a multiqueue netdev. */
static void add_netdev(const struct qemu_tap *tap, struct buf *out)
{
	const char *plural = tap->queues > 1 ? "s" : "";

	if (tap->in_path) {
		add_socket(tap, out);
		return;
	}
	buf_adds(out, "tap,id=");
	add_id(tap, out);
	buf_addf(out, ",fd%s=", plural);
	add_fds(tap, out);
	if (!tap->vhost)
		return;
	buf_addf(out, ",vhost=on,vhostfd%s=", plural);
	add_vhost_fds(tap, out);
}

static void add_device(const struct qemu_tap *tap, struct buf *out)
{
	buf_adds(out, "virtio-net-pci,netdev=");
	add_id(tap, out);
	buf_adds(out, ",mac=");
	add_mac(tap, out);
	/* One interrupt for each direction of each queue, one for changes and one for control. */
	if (tap->queues > 1)
		buf_addf(out, ",mq=on,vectors=%u", 2 * tap->queues + 2);
}

static const struct placeholder {
	const char *name;
	void (*add)(const struct qemu_tap *tap, struct buf *out);
	bool tells_tap; /* it says which descriptors are the tap's */
	bool needs_fds;
	bool needs_vhost;
} placeholders[] = {
	{ "netdev", add_netdev, true, false, false },
	{ "device", add_device, false, false, false },
	{ "fds", add_fds, true, true, false },
	{ "vhostfds", add_vhost_fds, false, true, true },
	{ "mac", add_mac, false, false, false },
	{ "queues", add_queues, false, false, false },
	{ "link", add_link, false, false, false },
};

#define N_PLACEHOLDERS (sizeof(placeholders) / sizeof(placeholders[0]))

/* The length of the name when `at`, somewhere in `word`, begins a placeholder, else 0. */
static size_t name_length(const char *word, const char *at)
{
	size_t len = 0;

	if (*at != '{' || (at > word && at[-1] == '$'))
		return 0;
	while (isalpha((unsigned char)at[1 + len]))
		len++;
	return at[1 + len] == '}' ? len : 0;
}

static int unknown(const char *name, int len, struct err *err)
{
	char copy[NAME_MAX_LEN + 1];
	struct hint hint;

	snprintf(copy, sizeof(copy), "%.*s", len, name);
	hint = hint_for(copy);
	for (size_t i = 0; i < N_PLACEHOLDERS; i++)
		hint_try(&hint, placeholders[i].name);
	if (hint.best)
		return err_set(err, -EINVAL, "there is no {%s}: did you mean {%s}?", copy,
			       hint.best);
	return err_set(err, -EINVAL,
		       "there is no {%s}: it is one of {netdev} {device} {fds} {vhostfds} {mac} "
		       "{queues} {link}",
		       copy);
}

static int find(const char *name, size_t len, const struct placeholder **ret, struct err *err)
{
	for (size_t i = 0; i < N_PLACEHOLDERS; i++) {
		if (strlen(placeholders[i].name) == len &&
		    memcmp(placeholders[i].name, name, len) == 0) {
			*ret = &placeholders[i];
			return 0;
		}
	}
	return unknown(name, (int)len, err);
}

int qemu_args_check(char *const *words, struct err *err)
{
	bool tells_tap = false;

	for (; *words; words++) {
		for (const char *p = *words; *p; p++) {
			const struct placeholder *placeholder;
			size_t len = name_length(*words, p);
			int code = len ? find(p + 1, len, &placeholder, err) : 0;

			if (code)
				return code;
			tells_tap = tells_tap || (len && placeholder->tells_tap);
		}
	}
	if (!tells_tap)
		return err_set(
			err, -EINVAL,
			"the command has neither {netdev} nor {fds}, and would not know which "
			"descriptors are the tap's");
	return 0;
}

static int fill(const char *word, const struct qemu_tap *tap, struct buf *out, struct err *err)
{
	for (const char *p = word; *p; p++) {
		const struct placeholder *placeholder;
		size_t len = name_length(word, p);
		int code;

		if (!len) {
			buf_addc(out, *p);
			continue;
		}
		code = find(p + 1, len, &placeholder, err);
		if (code)
			return code;
		if (placeholder->needs_fds && tap->in_path)
			return err_set(err, -EINVAL,
				       "the command has {%s}, and the link is inline: {netdev} is "
				       "the socket where its frames go",
				       placeholder->name);
		if (placeholder->needs_vhost && !tap->vhost)
			return err_set(err, -EINVAL,
				       "the command has {%s}, and there is no vhost here",
				       placeholder->name);
		placeholder->add(tap, out);
		p += len + 1;
	}
	return 0;
}

int qemu_args_make(char *const *words, const struct qemu_tap *tap, char ***ret, struct err *err)
{
	size_t n = 0;
	char **args;
	int code = 0;

	while (words[n])
		n++;
	args = calloc(n + 1, sizeof(*args));
	if (!args)
		return err_errno(err, -ENOMEM, "cannot make the command");
	for (size_t i = 0; code == 0 && i < n; i++) {
		struct buf word;

		buf_init(&word, WORD_MAX);
		buf_adds(&word, "");
		code = fill(words[i], tap, &word, err);
		if (code == 0 && !(args[i] = buf_take(&word)))
			code = err_errno(err, -ENOMEM, "cannot make the command");
		buf_done(&word);
	}
	if (code)
		qemu_args_free(args);
	else
		*ret = args;
	return code;
}

void qemu_args_free(char **args)
{
	for (size_t i = 0; args && args[i]; i++)
		free(args[i]);
	free((void *)args);
}

static bool is_plain(const char *word)
{
	for (const char *p = word; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("-_./:,=+@%", *p))
			return false;
	}
	return *word;
}

void qemu_args_quote(char *const *args, struct buf *out)
{
	for (size_t i = 0; args[i]; i++) {
		if (i)
			buf_addc(out, ' ');
		if (is_plain(args[i])) {
			buf_adds(out, args[i]);
			continue;
		}
		buf_addc(out, '\'');
		for (const char *p = args[i]; *p; p++) {
			if (*p == '\'')
				buf_adds(out, "'\\''");
			else
				buf_addc(out, *p);
		}
		buf_addc(out, '\'');
	}
}
