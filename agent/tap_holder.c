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

/* What is in a file of /proc/PID, cut at `size`, with a NUL behind it; its length. */
static size_t read_file(int proc, const char *name, char *ret, size_t size)
{
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void make_printable(char *text)
{
	for (char *p = text; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}

static void read_comm(int proc, char ret[TAP_COMM_MAX])
{
	read_file(proc, "comm", ret, TAP_COMM_MAX);
	ret[strcspn(ret, "\n")] = '\0';
	make_printable(ret);
}

/*
 * "-name shop" or "-name guest=shop,debug-threads=on" (qemu-system(1)); libvirt and kits have it
 * among the first words. The words of a command line end in NUL (proc(5)).
 */
static void read_vm(int proc, char ret[TAP_VM_MAX])
{
	char words[4096];
	const size_t len = read_file(proc, "cmdline", words, sizeof(words));
	bool is_name = false;

	ret[0] = '\0';
	for (const char *word = words; word < words + len; word += strlen(word) + 1) {
		if (is_name) {
			word += strncmp(word, "guest=", 6) == 0 ? 6 : 0;
			(void)snprintf(ret, TAP_VM_MAX, "%.*s", (int)strcspn(word, ","), word);
			make_printable(ret);
			return;
		}
		is_name = strcmp(word, "-name") == 0 || strcmp(word, "--name") == 0;
	}
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
		read_vm(proc, holder->vm);
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
