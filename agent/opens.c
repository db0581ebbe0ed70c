#include "agent/opens.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool dir_is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	bool empty = true;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty;
}

int open_log_dir(const char *path, uid_t uid, gid_t gid, int *ret_fd, bool *ret_made,
		 struct err *err)
{
	bool made = mkdir(path, 0750) == 0;
	struct stat st;
	int fd, code;

	if (!made && errno != EEXIST)
		return err_errno(err, -errno, "cannot make log-dir %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, -errno, "cannot open log-dir %s", path);
	if (fstat(fd, &st) < 0)
		goto fail;
	if (st.st_uid != uid) {
		if (!made && (st.st_uid != 0 || !dir_is_empty(fd))) {
			code = err_set(
				err, -EPERM,
				"log-dir %s belongs to uid %u, but the capture worker writes "
				"it as uid %u",
				path, (unsigned int)st.st_uid, (unsigned int)uid);
			close(fd);
			return code;
		}
		if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0750) < 0)
			goto fail;
	}
	*ret_fd = fd;
	*ret_made = made;
	return 0;
fail:
	code = err_errno(err, -errno, "cannot prepare log-dir %s", path);
	close(fd);
	return code;
}

static int listen_unix(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, code;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s is too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, -errno, "cannot make the socket %s", path);
	/* run-dir's lock is held: whoever left a socket here is gone. */
	if ((unlink(path) < 0 && errno != ENOENT) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0) {
		code = err_errno(err, -errno, "cannot listen on %s", path);
		close(fd);
		return code;
	}
	*ret_fd = fd;
	return 0;
}

static socklen_t address_of(const struct host_port *hp, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ 0 };
	if (hp->ipv6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(hp->port);
		inet_pton(AF_INET6, hp->host, &in6->sin6_addr);
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	in->sin_family = AF_INET;
	in->sin_port = htons(hp->port);
	inet_pton(AF_INET, hp->host, &in->sin_addr);
	return sizeof(*in);
}

/* Bound only: who connects is refused until a worker is there to serve the configuration. */
static int bind_tcp(const struct host_port *hp, const char *text, int *ret_fd, struct err *err)
{
	struct sockaddr_storage addr;
	socklen_t len = address_of(hp, &addr);
	const int on = 1;
	int code;
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, -errno, "cannot make a socket for %s", text);
	/*
	 * Free bind (ip(7)): the address may be one that a link of ours, not yet made, will carry,
	 * and a boot service that is there before its address is better than one that gave up.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 ||
	    (hp->ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&addr, len) < 0) {
		code = err_errno(err, -errno, "cannot listen on %s", text);
		close(fd);
		return code;
	}
	*ret_fd = fd;
	return 0;
}

static const struct listener *find(const struct listeners *in, const struct ipc_listen *message)
{
	for (size_t i = 0; i < in->n; i++) {
		if (in->list[i].message.listener == message->listener &&
		    strcmp(in->list[i].message.address, message->address) == 0)
			return &in->list[i];
	}
	return NULL;
}

/* The addresses of one key of [web], from `l` on. */
static void name_all(struct listener *l, enum ipc_listener kind, const struct host_port *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		l[i].address = &list[i];
		l[i].message.listener = kind;
		snprintf(l[i].message.address, sizeof(l->message.address),
			 list[i].ipv6 ? "[%s]:%u" : "%s:%u", list[i].host, list[i].port);
	}
}

/* The names of all wanted sockets, none of them open yet. */
static int wanted(const struct config *config, struct listeners *ret, struct err *err)
{
	const struct web_conf *web = &config->web;
	size_t n = 1 + web->n_listen + web->n_boot_listen;
	struct listener *l = calloc(n, sizeof(*l));

	if (!l)
		return err_set(err, -ENOMEM, "no memory for listening sockets");
	ret->list = l;
	ret->n = n;
	for (size_t i = 0; i < ret->n; i++)
		l[i].fd = -1;
	l->message.listener = IPC_LISTEN_API;
	if ((size_t)snprintf(l->message.address, sizeof(l->message.address), "%s/%s",
			     config->agent.run_dir, API_SOCKET_NAME) >= sizeof(l->message.address))
		return err_set(err, -ENAMETOOLONG, "run-dir %s is too long", config->agent.run_dir);
	name_all(l + 1, IPC_LISTEN_OPERATORS, web->listen, web->n_listen);
	name_all(l + 1 + web->n_listen, IPC_LISTEN_BOOT, web->boot_listen, web->n_boot_listen);
	return 0;
}

int open_listeners(const struct config *config, const struct listeners *old, struct listeners *ret,
		   struct err *err)
{
	struct listeners list = { 0 };
	int code = wanted(config, &list, err);

	for (size_t i = 0; code == 0 && i < list.n; i++) {
		struct listener *l = &list.list[i];
		const struct listener *known = find(old, &l->message);

		if (known) {
			l->fd = fcntl(known->fd, F_DUPFD_CLOEXEC, 0);
			if (l->fd < 0)
				code = err_errno(err, -errno, "cannot keep %s", l->message.address);
		} else if (l->message.listener == IPC_LISTEN_API) {
			code = listen_unix(l->message.address, &l->fd, err);
		} else {
			code = bind_tcp(l->address, l->message.address, &l->fd, err);
		}
	}
	if (code)
		listeners_done(&list);
	else
		*ret = list;
	return code;
}

void listeners_forget_api(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++) {
		if (listeners->list[i].message.listener == IPC_LISTEN_API)
			listeners->list[i].message.address[0] = '\0';
	}
}

void listeners_done(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++) {
		if (listeners->list[i].fd >= 0)
			close(listeners->list[i].fd);
	}
	free(listeners->list);
	*listeners = (struct listeners){ 0 };
}
