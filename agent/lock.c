#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/counter_file.h"

#define LOCK_FILE "agent.lock"

/* Every verb that changes something comes by here first, and whoever forgot sudo with it. */
static int no_lock(int code, const char *what, const char *path, struct err *err)
{
	return err_set(err, code, "could not %s %s: %s%s", what, path, strerror(-code),
		       code == -EACCES ? ": try as root" : "");
}

static int refuse(int fd, const char *path, struct err *err)
{
	char pid[16];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	if (strspn(pid, "0123456789") == 0)
		return err_set(err, -EWOULDBLOCK, "another tapwarden has locked %s", path);
	pid[strspn(pid, "0123456789")] = '\0';
	return err_set(err, -EWOULDBLOCK, "another tapwarden (pid %s) has locked %s", pid, path);
}

int agent_lock_dir(const char *dir, struct err *err)
{
	char path[PATH_MAX];
	int fd, code;

	if ((size_t)snprintf(path, sizeof(path), "%s/" LOCK_FILE, dir) >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "could not lock %s: the path is too long", dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return no_lock(-errno, "make", dir, err);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return no_lock(-errno, "open", path, err);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		code = -errno;
		code = code == -EWOULDBLOCK ? refuse(fd, path, err)
					    : err_errno(err, code, "could not lock %s", path);
		close(fd);
		return code;
	}
	/* For the text of the next one who tries; the lock itself is what counts. */
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		code = err_errno(err, -errno, "could not write %s", path);
		close(fd);
		return code;
	}
	return fd;
}

/* Nobody's lock is tried for it, which whoever starts just now would stumble over. */
pid_t agent_lock_pid(const char *run_dir)
{
	char path[PATH_MAX], text[32] = "";
	uint64_t pid;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" LOCK_FILE, run_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (counter_file_read(fd, &pid) || pid > INT32_MAX)
		pid = 0;
	close(fd);
	/* The number may be another's by now. */
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0 || strcmp(text, "tapwarden\n") != 0)
		pid = 0;
	close(fd);
	return (pid_t)pid;
}

static socklen_t group_name(uint32_t link_group, struct sockaddr_un *ret)
{
	int len;

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* The first byte stays NUL: an abstract name. */
	len = snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1, "tapwarden/link-group/%u",
		       link_group);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* The pid of whoever listens on the name; 0 when it cannot be told. */
static pid_t group_owner(const struct sockaddr_un *addr, socklen_t addr_len)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (connect(fd, (const struct sockaddr *)addr, addr_len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		peer.pid = 0;
	close(fd);
	return peer.pid;
}

static int lock_group(uint32_t link_group, struct err *err)
{
	struct sockaddr_un addr;
	socklen_t len = group_name(link_group, &addr);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code;

	/* Listening makes the kernel answer for this process when another asks who it is. */
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&addr, len) == 0 && listen(fd, 1) == 0)
		return fd;
	code = -errno;
	if (fd >= 0)
		close(fd);
	if (code != -EADDRINUSE)
		return err_errno(err, code, "could not claim link-group %u", link_group);
	return err_set(err, -EWOULDBLOCK,
		       "another tapwarden (pid %d) owns the links of link-group %u in this network "
		       "namespace",
		       (int)group_owner(&addr, len), link_group);
}

int agent_lock(const char *run_dir, uint32_t link_group, struct agent_lock *ret, struct err *err)
{
	struct agent_lock lock = AGENT_LOCK_NONE;

	lock.file = agent_lock_dir(run_dir, err);
	if (lock.file < 0)
		return lock.file;
	lock.group = lock_group(link_group, err);
	if (lock.group < 0) {
		close(lock.file);
		return lock.group;
	}
	*ret = lock;
	return 0;
}

void agent_unlock(struct agent_lock *lock)
{
	if (lock->file >= 0)
		close(lock->file);
	if (lock->group >= 0)
		close(lock->group);
	*lock = AGENT_LOCK_NONE;
}

bool agent_lock_is_lost(const struct agent_lock *lock, const char *run_dir)
{
	char path[PATH_MAX];
	struct stat ours, there;

	snprintf(path, sizeof(path), "%s/" LOCK_FILE, run_dir);
	return fstat(lock->file, &ours) < 0 || stat(path, &there) < 0 ||
	       ours.st_dev != there.st_dev || ours.st_ino != there.st_ino;
}

int agent_lock_again(struct agent_lock *lock, const char *run_dir, struct err *err)
{
	int fd = agent_lock_dir(run_dir, err);

	if (fd < 0)
		return fd;
	close(lock->file);
	lock->file = fd;
	return 0;
}
