#include "agent/tap_holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct search {
	struct tap_holder *holders;
	size_t n;
	pid_t *last; /* per holder: the last process counted, so that its fds count it once */
	struct tap_skip skip;
};

static int order_holders(const void *a, const void *b)
{
	const struct tap_holder *x = a, *y = b;

	return (x->dev > y->dev) - (x->dev < y->dev);
}

static void read_comm(int proc, char ret[TAP_COMM_MAX])
{
	int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, TAP_COMM_MAX - 1);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	for (char *p = ret; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	if (fd >= 0)
		close(fd);
}

/*
 * The fourth field of /proc/PID/stat; the second, the name, may hold spaces and brackets (proc(5)).
 */
static pid_t parent_of(int proc)
{
	char line[256];
	int fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
	const char *name_end;
	long parent = 0;

	line[n > 0 ? n : 0] = '\0';
	name_end = strrchr(line, ')');
	/* ") S 1234 ": the state is one letter. */
	if (name_end && strlen(name_end) > 4)
		parent = strtol(name_end + 4, NULL, 10);
	if (fd >= 0)
		close(fd);
	return (pid_t)parent;
}

static bool is_skipped(const struct tap_skip *skip, pid_t pid)
{
	return pid && (pid == skip->self || pid == skip->agent);
}

/*
 * A descriptor outlives the link that it was opened for, whose number the next link gets, in
 * whichever network namespace (tap_free_minor()). It says so itself; a copy of it is no queue of
 * its own.
 */
static bool is_dead(pid_t pid, int fd)
{
	struct ifreq request = { .ifr_flags = 0 };
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	bool dead = copy >= 0 && ioctl(copy, TUNGETIFF, &request) < 0 && errno == ENOLINK;

	if (copy >= 0)
		close(copy);
	if (process >= 0)
		close(process);
	return dead;
}

static void found(struct search *search, dev_t dev, int proc, pid_t pid, int fd)
{
	struct tap_holder key = { .dev = dev };
	struct tap_holder *holder =
		bsearch(&key, search->holders, search->n, sizeof(key), order_holders);

	if (!holder || is_skipped(&search->skip, parent_of(proc)) || is_dead(pid, fd))
		return;
	if (!holder->pid) {
		holder->pid = pid;
		read_comm(proc, holder->comm);
	}
	holder->fds++;
	if (search->last[holder - search->holders] != pid) {
		search->last[holder - search->holders] = pid;
		holder->processes++;
	}
}

/*
 * The fds of one process. One that ends meanwhile, or that may not be looked into, holds nothing.
 */
static void search_process(struct search *search, int proc, pid_t pid)
{
	int dir = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = dir < 0 ? NULL : fdopendir(dir);
	const struct dirent *entry;

	if (!fds) {
		if (dir >= 0)
			close(dir);
		return;
	}
	while ((entry = readdir(fds))) {
		struct statx st;

		/* DONT_SYNC: a file on a dead NFS or FUSE server must not stop the agent. */
		if (entry->d_name[0] == '.' ||
		    statx(dir, entry->d_name, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
		    !S_ISCHR(st.stx_mode))
			continue;
		found(search, makedev(st.stx_rdev_major, st.stx_rdev_minor), proc, pid,
		      (int)strtol(entry->d_name, NULL, 10));
	}
	closedir(fds);
}

static pid_t parse_pid(const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	return *end || pid <= 0 || pid > INT32_MAX ? 0 : (pid_t)pid;
}

int tap_holders_find(struct tap_holder *holders, size_t n, struct tap_skip skip)
{
	struct search search = { .holders = holders, .n = n, .skip = skip };
	const struct dirent *entry;
	DIR *proc = NULL;
	int code = 0;

	for (size_t i = 0; i < n; i++)
		holders[i] = (struct tap_holder){
			.dev = holders[i].dev,
			.ifindex = holders[i].ifindex,
		};
	if (n == 0)
		return 0;
	qsort(holders, n, sizeof(*holders), order_holders);
	search.last = calloc(n, sizeof(*search.last));
	if (!search.last)
		return -ENOMEM;
	proc = opendir("/proc");
	if (!proc) {
		code = -errno;
		goto out;
	}
	while ((entry = readdir(proc))) {
		pid_t pid = parse_pid(entry->d_name);
		int dir;

		if (!pid || is_skipped(&skip, pid))
			continue;
		dir = openat(dirfd(proc), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		search_process(&search, dir, pid);
		close(dir);
	}
	closedir(proc);
out:
	free(search.last);
	return code;
}
