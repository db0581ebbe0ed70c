#include "netlink/tap_node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * /run is mounted nodev, /dev never is. The name has the process in it, so that what a killed one
 * left can be told from what is in use.
 */
#define NODE_PREFIX ".tapwarden-"

/* One line of a sysfs file, without its newline. */
static int read_line(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int code;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	code = n < 0 ? -errno : 0;
	close(fd);
	if (code < 0)
		return code;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int read_ifindex(const char *name, uint32_t *ret)
{
	char path[64], line[32];
	uint64_t value;
	int code;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", name);
	code = read_line(path, line, sizeof(line));
	if (code == 0)
		code = parse_u64(line, 1, INT32_MAX, &value, NULL);
	if (code == 0)
		*ret = (uint32_t)value;
	return code;
}

/* Why /sys has no tap of this number for the link. */
static int explain_missing(const char *name, uint32_t ifindex, struct err *err)
{
	uint32_t found = 0;
	int code = read_ifindex(name, &found);

	if (code == -ENOENT)
		return err_set(err, -ENOENT,
			       "could not find the tap of %s: /sys knows no such link (it is gone, "
			       "or /sys shows another network namespace)",
			       name);
	if (code < 0)
		return err_errno(err, code, "could not find the tap of %s", name);
	if (found != ifindex)
		return err_set(err, -ESTALE,
			       "could not find the tap of %s: /sys has it with ifindex %u, not %u: "
			       "/sys shows another network namespace",
			       name, found, ifindex);
	return err_errno(err, -ENOENT, "could not find the tap of %s", name);
}

/* "246:1" */
static int parse_dev(char *line, dev_t *ret)
{
	char *colon = strchr(line, ':');
	uint64_t major, minor;

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (parse_u64(line, 1, UINT32_MAX, &major, NULL) < 0 ||
	    parse_u64(colon + 1, 0, UINT32_MAX, &minor, NULL) < 0)
		return -EINVAL;
	*ret = makedev((unsigned int)major, (unsigned int)minor);
	return 0;
}

int tap_node_dev(const char *name, uint32_t ifindex, dev_t *ret, struct err *err)
{
	char path[80], line[32];
	int code;

	snprintf(path, sizeof(path), "/sys/class/net/%s/tap%u/dev", name, ifindex);
	code = read_line(path, line, sizeof(line));
	if (code == -ENOENT)
		return explain_missing(name, ifindex, err);
	if (code < 0)
		return err_errno(err, code, "could not find the tap of %s: %s", name, path);
	code = parse_dev(line, ret);
	if (code < 0)
		return err_set(err, code, "could not find the tap of %s: %s holds no device number",
			       name, path);
	return 0;
}

static bool is_left_over(const char *name)
{
	char *end;
	long pid;

	if (strncmp(name, NODE_PREFIX, strlen(NODE_PREFIX)) != 0)
		return false;
	pid = strtol(name + strlen(NODE_PREFIX), &end, 10);
	return *end == '-' && pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

void tap_node_sweep(void)
{
	DIR *dev = opendir("/dev");
	const struct dirent *entry;
	char node[NAME_MAX + 5];

	while (dev && (entry = readdir(dev))) {
		if (!is_left_over(entry->d_name))
			continue;
		snprintf(node, sizeof(node), "%s/tap", entry->d_name);
		unlinkat(dirfd(dev), node, 0);
		unlinkat(dirfd(dev), entry->d_name, AT_REMOVEDIR);
	}
	if (dev)
		closedir(dev);
}

/* The node lives only for the open: minors are used again, and then it would be another's tap. */
static int open_private(dev_t dev, int *ret_fd)
{
	char dir[64], node[sizeof(dir) + 4];
	int code = 0, fd;

	snprintf(dir, sizeof(dir), "/dev/" NODE_PREFIX "%d-XXXXXX", (int)getpid());
	if (!mkdtemp(dir))
		return -errno;
	snprintf(node, sizeof(node), "%s/tap", dir);
	if (mknod(node, S_IFCHR | 0600, dev) < 0) {
		code = -errno;
		goto out;
	}
	fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		code = -errno;
	else
		*ret_fd = fd;
	unlink(node);
out:
	rmdir(dir);
	return code;
}

/* For whoever owns the node, but may make none: then that one, if it is the link's. */
static int open_public(uint32_t ifindex, dev_t dev, int *ret_fd)
{
	struct tap_node node;
	int fd;

	tap_node_look(ifindex, dev, &node);
	if (node.state != TAP_NODE_OURS)
		return -EPERM;
	fd = open(node.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int check_fd(int fd, const char *name, dev_t dev, struct err *err)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "could not check the tap of %s", name);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != dev)
		return err_set(err, -ESTALE, "could not open the tap of %s: another device opened",
			       name);
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return err_errno(err, -errno, "could not check the tap of %s", name);
	ifr.ifr_name[IFNAMSIZ - 1] = '\0';
	if (strcmp(ifr.ifr_name, name) != 0)
		return err_set(err, -ESTALE, "could not open the tap of %s: it is that of %s", name,
			       ifr.ifr_name);
	return 0;
}

int tap_node_open(const char *name, uint32_t ifindex, int *ret_fd, struct err *err)
{
	dev_t dev = 0;
	int code, fd = -1;

	code = tap_node_dev(name, ifindex, &dev, err);
	if (code < 0)
		return code;
	code = open_private(dev, &fd);
	if (code == -EPERM || code == -EACCES)
		code = open_public(ifindex, dev, &fd);
	if (code < 0)
		return err_errno(err, code, "could not open the tap of %s", name);
	code = check_fd(fd, name, dev, err);
	if (code < 0) {
		close(fd);
		return code;
	}
	*ret_fd = fd;
	return 0;
}

static bool is_tap(const struct stat *st, dev_t dev)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == dev;
}

static struct tap_rights rights_of(const struct stat *st)
{
	return (struct tap_rights){ st->st_uid, st->st_gid, st->st_mode & 0777 };
}

bool tap_node_is_kernels(uint32_t ifindex)
{
	char path[TAP_PATH_MAX];
	struct tap_rights rights;
	struct stat st;

	snprintf(path, sizeof(path), "/dev/tap%u", ifindex);
	if (lstat(path, &st) < 0)
		return errno == ENOENT;
	rights = rights_of(&st);
	return tap_rights_are_kernels(&rights);
}

void tap_node_look(uint32_t ifindex, dev_t dev, struct tap_node *ret)
{
	struct tap_node node = { .state = TAP_NODE_ABSENT };
	char path[TAP_PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/tap%u", ifindex);
	if (lstat(path, &st) == 0)
		node.state = is_tap(&st, dev) ? TAP_NODE_OURS : TAP_NODE_FOREIGN;
	if (node.state == TAP_NODE_OURS) {
		memcpy(node.path, path, sizeof(node.path));
		node.rights = rights_of(&st);
	}
	*ret = node;
}

/*
 * Through /proc, as fchmod(2) does not take an O_PATH descriptor. What only the old or only the new
 * owner may do is nobody's while the owner changes.
 */
static int change_rights(int fd, uint32_t perms, const struct tap_rights *rights)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (chmod(path, perms & rights->perms) < 0 ||
	    fchownat(fd, "", rights->uid, rights->gid, AT_EMPTY_PATH) < 0 ||
	    chmod(path, rights->perms) < 0)
		return -errno;
	return 0;
}

int tap_node_set_rights(const char *name, uint32_t ifindex, const struct tap_rights *rights)
{
	char path[TAP_PATH_MAX];
	struct stat st;
	dev_t dev = 0;
	int fd, code = tap_node_dev(name, ifindex, &dev, NULL);

	if (code < 0)
		return code;
	snprintf(path, sizeof(path), "/dev/tap%u", ifindex);
	/* O_PATH: an open of the tap itself would be a queue. */
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENXIO : -errno;
	if (fstat(fd, &st) < 0)
		code = -errno;
	else
		code = is_tap(&st, dev) ? change_rights(fd, st.st_mode & 0777, rights) : -EXDEV;
	close(fd);
	return code;
}
