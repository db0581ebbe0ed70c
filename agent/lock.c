#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FILE "agent.lock"

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

int agent_lock(const char *run_dir, struct err *err)
{
	char path[PATH_MAX];
	int fd, code;

	if ((size_t)snprintf(path, sizeof(path), "%s/" LOCK_FILE, run_dir) >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "could not lock %s: the path is too long",
			       run_dir);
	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "could not make %s", run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_errno(err, -errno, "could not open %s", path);
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
