/* Files that the web worker passes on: it opens none itself. */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/parse_boot.h"
#include "capture/emitter.h"

/* The file of a guest that its configuration names; what iPXE fetches by itself is none of ours. */
static const char *boot_file_of(const struct guest_conf *guest, const char *which)
{
	const struct {
		const char *name, *source;
	} files[] = {
		{ "kernel", guest->kernel },
		{ "initrd", guest->initrd },
		{ "install-kernel", guest->install_kernel },
		{ "install-initrd", guest->install_initrd },
		{ "rescue-kernel", guest->rescue_kernel },
		{ "rescue-initrd", guest->rescue_initrd },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].name, which) == 0)
			return files[i].source;
	}
	return NULL;
}

static int open_boot_file(const struct agent *a, const struct ipc_request *request,
			  size_t *ret_length, struct err *err)
{
	const struct guest_conf *guest = config_find_guest(a->setup.config, request->name);
	const char *path = guest ? boot_file_of(guest, request->link) : NULL;
	struct stat st;
	int fd;

	if (!path || boot_source_is_url(path))
		return err_set(err, -ENOENT, "no file of that guest is served");
	/* A FIFO in its place shall not hold the agent. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, -errno, "cannot open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > UINT32_MAX) {
		close(fd);
		return err_set(err, -EINVAL, "%s is no regular file of less than 4 GiB", path);
	}
	*ret_length = (size_t)st.st_size;
	return fd;
}

/*
 * Of the log directory, which is the capture worker's; the bytes are the web worker's to look at.
 */
static int open_logged(const struct agent *a, const char *name, size_t *ret_length, struct err *err)
{
	int fd = openat(a->setup.log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open %s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > UINT32_MAX) {
		close(fd);
		return err_set(err, -EINVAL, "%s is no regular file of less than 4 GiB", name);
	}
	*ret_length = (size_t)st.st_size;
	return fd;
}

void agent_send_history(const struct agent *a, struct ipc_channel *web)
{
	static const char *const names[] = { EMITTER_RECORDS_NAME ".1", EMITTER_RECORDS_NAME };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct err err = { "" };
		size_t length;
		int fd = open_logged(a, names[i], &length, &err);

		if (fd >= 0) {
			ipc_send(web, IPC_HISTORY, NULL, fd);
			close(fd);
		} else if (fd != -ENOENT) {
			log_warning("%s: the web worker begins without the records in it",
				    err.text);
		}
	}
}

/* The n-th of the files that there are: a worker that had no frame to keep made none. */
static int open_frames(const struct agent *a, const struct ipc_request *request, size_t *ret_length,
		       struct err *err)
{
	char name[EMITTER_NAME_SIZE];
	uint64_t n;
	int code = parse_u64(request->name, 0, STATS_CAPTURES_MAX - 1, &n, err);

	if (code)
		return code;
	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++) {
		int fd;

		emitter_file_name(name, EMITTER_FRAMES, i);
		fd = open_logged(a, name, ret_length, err);
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || n-- == 0)
			return fd;
		close(fd);
	}
	return err_set(err, -ENOENT, "no more frames are kept");
}

static int open_file(const struct agent *a, const struct ipc_request *request, size_t *ret_length,
		     struct err *err)
{
	if (request->op == IPC_OP_PCAP)
		return open_frames(a, request, ret_length, err);
	return open_boot_file(a, request, ret_length, err);
}

void agent_send_file(struct agent *a, struct ipc_channel *web, const struct ipc_request *request)
{
	struct ipc_reply reply = { .id = request->id };
	struct err err = { "" };
	size_t length = 0;
	int fd = open_file(a, request, &length, &err);

	if (fd < 0) {
		log_debug("a file that the web worker asks for cannot be opened: %s", err.text);
		reply.error = fd;
		length = strlen(err.text);
		fd = ipc_memfd("tapwarden-reply", err.text, length);
		if (fd < 0)
			return;
	}
	reply.length = (uint32_t)length;
	ipc_send(web, IPC_REPLY, &reply, fd);
	close(fd);
}
