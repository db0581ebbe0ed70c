#include "agent/guest_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const end_names[GUEST_ENDS] = {
	[GUEST_END_QEMU] = "qemu.sock",
	[GUEST_END_RELAY] = "relay.sock",
};

const char *guest_end_name(enum guest_end end)
{
	return end_names[end];
}

static int fit(int n, const struct guest_dir *dir, struct err *err)
{
	if (n >= 0 && n < GUEST_PATH_SIZE)
		return 0;
	return err_set(
		err, -ENAMETOOLONG,
		"run-dir %s is too long: the socket of link %s would have more than %d bytes",
		dir->run_dir, dir->link, GUEST_PATH_SIZE - 1);
}

int guest_dir_name(const struct guest_dir *dir, char ret[GUEST_PATH_SIZE], struct err *err)
{
	return fit(snprintf(ret, GUEST_PATH_SIZE, "%s/guests/%s", dir->run_dir, dir->link), dir,
		   err);
}

int guest_dir_path(const struct guest_dir *dir, enum guest_end end, char ret[GUEST_PATH_SIZE],
		   struct err *err)
{
	return fit(snprintf(ret, GUEST_PATH_SIZE, "%s/guests/%s/%s", dir->run_dir, dir->link,
			    end_names[end]),
		   dir, err);
}

static int open_dir(const struct guest_dir *dir, int *ret_fd, struct err *err)
{
	char path[GUEST_PATH_SIZE];
	int code = guest_dir_name(dir, path, err);

	if (code)
		return code;
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? err_errno(err, -errno, "cannot open %s", path) : 0;
}

int guest_dir_make(const struct guest_dir *dir, struct err *err)
{
	char path[GUEST_PATH_SIZE], above[GUEST_PATH_SIZE];
	int fd, code = guest_dir_name(dir, path, err);

	if (code)
		return code;
	(void)snprintf(above, sizeof(above), "%.*s", (int)(strrchr(path, '/') - path), path);
	/* The folder above is root's: no guest can put another's away. */
	if ((mkdir(above, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return err_errno(err, -errno, "cannot make %s", path);
	code = open_dir(dir, &fd, err);
	if (code)
		return code;
	if (fchown(fd, dir->uid, dir->gid) < 0 || fchmod(fd, 0700) < 0)
		code = err_errno(err, -errno, "cannot give %s to its owner", path);
	close(fd);
	return code;
}

/* ---- QEMU's end ----------------------------------------------------------------------------- */

static int not_trusted(const struct guest_dir *dir, const char *what, struct err *err)
{
	return err_set(err, -EPERM, "the %s of link %s is not of its owner (uid %u): left alone",
		       what, dir->link, (unsigned int)dir->uid);
}

static bool is_owner(const struct guest_dir *dir, uid_t uid)
{
	return uid == dir->uid || uid == 0;
}

/* The socket itself, whatever name it has a moment later. */
static int open_end(const struct guest_dir *dir, int dir_fd, int *ret_fd, struct err *err)
{
	struct stat st;
	int fd = openat(dir_fd, end_names[GUEST_END_QEMU], O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, -errno, "the QEMU of link %s is not there", dir->link);
	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || !is_owner(dir, st.st_uid)) {
		close(fd);
		return not_trusted(dir, end_names[GUEST_END_QEMU], err);
	}
	*ret_fd = fd;
	return 0;
}

static socklen_t name_fd(int fd, const char *below, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s%s", fd,
		       *below ? "/" : "", below);
	return sizeof(*ret);
}

static int connect_end(const struct guest_dir *dir, int socket, int dir_fd, struct err *err)
{
	struct sockaddr_un address;
	socklen_t len;
	int end = -1, code = open_end(dir, dir_fd, &end, err);

	if (code)
		return code;
	len = name_fd(end, "", &address);
	if (connect(socket, (struct sockaddr *)&address, len) < 0)
		code = err_errno(err, -errno, "the QEMU of link %s does not take a connection",
				 dir->link);
	close(end);
	return code;
}

/* ---- the relay's end ------------------------------------------------------------------------ */

static int bind_end(const struct guest_dir *dir, int socket, int dir_fd, struct err *err)
{
	const char *name = end_names[GUEST_END_RELAY];
	struct sockaddr_un address;
	socklen_t len = name_fd(dir_fd, name, &address);

	/* The name may still be that of the worker before. */
	if ((unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) ||
	    bind(socket, (struct sockaddr *)&address, len) < 0 ||
	    fchownat(dir_fd, name, dir->uid, dir->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, -errno, "cannot make the %s of link %s", name, dir->link);
	return 0;
}

static int peer_is_owner(const struct guest_dir *dir, int socket, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_errno(err, -errno, "cannot see who listens for link %s", dir->link);
	return is_owner(dir, peer.uid) ? 0 : not_trusted(dir, "QEMU", err);
}

int guest_dir_dial(const struct guest_dir *dir, enum peer_kind kind, int *ret_fd, struct err *err)
{
	int type = kind == PEER_STREAM ? SOCK_STREAM : SOCK_DGRAM;
	int fd = -1, dir_fd = -1, code = open_dir(dir, &dir_fd, err);

	if (code)
		return code;
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		code = err_errno(err, -errno, "cannot make a socket for link %s", dir->link);
	if (code == 0 && kind == PEER_DGRAM)
		code = bind_end(dir, fd, dir_fd, err);
	if (code == 0)
		code = connect_end(dir, fd, dir_fd, err);
	if (code == 0 && kind == PEER_STREAM)
		code = peer_is_owner(dir, fd, err);
	close(dir_fd);
	if (code == 0)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return code;
}
