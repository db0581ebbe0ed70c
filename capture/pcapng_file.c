#include "capture/pcapng_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/pcapng_format.h"
#include "agent/base/saturate.h"

/* A frame on top of what is written at once has to fit. */
#define BUFFER_MAX (PCAPNG_WRITE_SIZE + (2u << 20))

static bool is_input(const struct stat *st, char *const *inputs, size_t n)
{
	struct stat input;

	for (size_t i = 0; i < n; i++) {
		if (stat(inputs[i], &input) == 0 && input.st_dev == st->st_dev &&
		    input.st_ino == st->st_ino)
			return true;
	}
	return fstat(STDIN_FILENO, &input) == 0 && input.st_dev == st->st_dev &&
	       input.st_ino == st->st_ino;
}

int pcapng_file_open(struct pcapng_file *file, const char *path, char *const *inputs, size_t n,
		     const char *host, struct err *err)
{
	bool is_stdout = strcmp(path, PCAPNG_FILE_STDOUT) == 0;
	struct stat st = { .st_mode = 0 };
	int code = 0;

	*file = (struct pcapng_file){
		.fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
				: open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666),
	};
	buf_init(&file->buf, BUFFER_MAX);
	if (file->fd < 0)
		return err_errno(err, -errno, "cannot write %s", path);
	if (fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode) && is_input(&st, inputs, n))
		code = err_set(err, -EINVAL, "cannot write %s: it is read too", path);
	else if (S_ISREG(st.st_mode) && !is_stdout && ftruncate(file->fd, 0))
		code = err_errno(err, -errno, "cannot write %s", path);
	if (code) {
		close(file->fd);
		file->fd = -1;
		return code;
	}
	pcapng_section(&file->buf, PCAPNG_EXTRACT, host);
	return 0;
}

int pcapng_file_interface(struct pcapng_file *file, const struct pcapng_interface *interface,
			  uint32_t *ret)
{
	struct pcapng_file_interface *more =
		reallocarray(file->interfaces, file->n_interfaces + 1u, sizeof(*more));

	if (!more)
		return -ENOMEM;
	file->interfaces = more;
	more[file->n_interfaces] = (struct pcapng_file_interface){ .frames = 0 };
	pcapng_interface(&file->buf, interface);
	*ret = file->n_interfaces++;
	return 0;
}

void pcapng_file_flush(struct pcapng_file *file)
{
	size_t done = 0;

	if (file->buf.failed && !file->error)
		file->error = ENOMEM;
	while (done < file->buf.len && !file->error) {
		ssize_t n = write(file->fd, file->buf.data + done, file->buf.len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			file->error = errno;
	}
	buf_reset(&file->buf);
}

/* When there is enough for a write. */
static void flush_some(struct pcapng_file *file)
{
	if (file->buf.len >= PCAPNG_WRITE_SIZE || file->buf.failed)
		pcapng_file_flush(file);
}

static void see(struct pcapng_file_interface *interface, uint64_t time_ns)
{
	if (!interface->frames && !interface->drops)
		interface->first_ns = time_ns;
	interface->last_ns = time_ns;
}

void pcapng_file_put(struct pcapng_file *file, const struct pcapng_packet *packet)
{
	struct pcapng_file_interface *interface = &file->interfaces[packet->interface];

	see(interface, packet->time_ns);
	interface->frames++;
	file->frames++;
	pcapng_packet(&file->buf, packet);
	flush_some(file);
}

void pcapng_file_drops(struct pcapng_file *file, uint32_t interface, uint64_t drops,
		       uint64_t time_ns)
{
	struct pcapng_file_interface *seen = &file->interfaces[interface];

	see(seen, time_ns);
	seen->drops = add_saturated(seen->drops, drops);
}

int pcapng_file_close(struct pcapng_file *file)
{
	for (uint32_t i = 0; i < file->n_interfaces; i++) {
		const struct pcapng_file_interface *interface = &file->interfaces[i];

		pcapng_statistics(&file->buf, &(struct pcapng_statistics){
						      .interface = i,
						      .time_ns = interface->last_ns,
						      .start_ns = interface->first_ns,
						      .end_ns = interface->last_ns,
						      .received = interface->frames,
						      .dropped = interface->drops,
					      });
		flush_some(file);
	}
	pcapng_file_flush(file);
	if (close(file->fd) && !file->error)
		file->error = errno;
	free(file->interfaces);
	buf_done(&file->buf);
	return file->error;
}
