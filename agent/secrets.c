#include "agent/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/fd_io.h"
#include "agent/base/ipc.h"

/*
 * The bounds of a CHAP secret: 96 bits (RFC 3720 section 8.2.1), and a login key's longest value.
 */
#define SECRET_MIN 12
#define SECRET_MAX 255

/* With its newline, and one byte more to see that there is more. */
#define SECRET_READ (SECRET_MAX + 2)

/* The file itself is asked, not its name, so that both are of the same file. */
static int check_file(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot be examined");
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "not a regular file");
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return err_set(err, -EPERM, "others may read or write it: chmod o-rw it");
	if (st.st_mode & S_IWGRP)
		return err_set(err, -EPERM, "its group may write it: chmod g-w it");
	return 0;
}

static int check_secret(const char *s, size_t len, struct err *err)
{
	if (memchr(s, '\n', len))
		return err_set(err, -EINVAL, "more than one line");
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return err_set(err, -EINVAL, "a control character at offset %zu", i);
	}
	if (len < SECRET_MIN || len > SECRET_MAX)
		return err_set(err, -EINVAL, "a CHAP secret has %d to %d bytes", SECRET_MIN,
			       SECRET_MAX);
	return 0;
}

static int read_secret(const char *path, char **ret, struct err *err)
{
	char text[SECRET_READ];
	ssize_t n;
	size_t len;
	char *secret;
	int code;
	/* A FIFO would wait for its writer; as it is opened, it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, -errno, "cannot be opened");
	code = check_file(fd, err);
	if (code)
		goto out;
	n = fd_read_all(fd, text, sizeof(text));
	if (n < 0) {
		code = err_errno(err, (int)n, "cannot be read");
		goto out;
	}
	len = (size_t)n;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	code = check_secret(text, len, err);
	if (code)
		goto out;
	secret = strndup(text, len);
	if (!secret) {
		code = err_errno(err, -ENOMEM, "cannot be kept");
		goto out;
	}
	*ret = secret;
out:
	explicit_bzero(text, sizeof(text));
	close(fd);
	return code;
}

static int load(const struct target_conf *target, const char *key, const char *path, char **ret,
		struct err *err)
{
	char *secret = NULL;
	int code;

	if (!path)
		return 0;
	code = read_secret(path, &secret, err);
	if (code)
		return err_prefix(err, code, "[target %s] %s: %s", target->head.name, key, path);
	if (*ret)
		explicit_bzero(*ret, strlen(*ret));
	free(*ret);
	*ret = secret;
	return 0;
}

int secrets_load_target(struct target_conf *target, struct err *err)
{
	int code = load(target, "chap-secret-file", target->chap_secret_file, &target->chap_secret,
			err);

	if (!code)
		code = load(target, "reverse-secret-file", target->reverse_secret_file,
			    &target->reverse_secret, err);
	/* One secret for both directions can be reflected (RFC 3720 section 8.2.1). */
	if (!code && target->chap_secret && target->reverse_secret &&
	    strcmp(target->chap_secret, target->reverse_secret) == 0)
		return err_set(err, -EINVAL,
			       "[target %s] reverse-secret-file: it holds the secret of "
			       "chap-secret-file: the two directions must differ",
			       target->head.name);
	return code;
}

int secrets_load(struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->n_targets; i++) {
		int code = secrets_load_target(&config->targets[i], err);

		if (code)
			return code;
	}
	return 0;
}

/* Of a certificate with its chain, or a key, in PEM. */
#define PEM_MAX 65536

static int take_pem(int fd, struct buf *out, struct err *err)
{
	char *room = buf_reserve(out, PEM_MAX + 1);
	ssize_t n;

	if (!room)
		return err_errno(err, -ENOMEM, "cannot be kept");
	n = fd_read_all(fd, room, PEM_MAX + 1);
	if (n < 0)
		return err_errno(err, (int)n, "cannot be read");
	if (n > PEM_MAX)
		return err_set(err, -EFBIG, "more than %d bytes", PEM_MAX);
	if (memchr(room, '\0', (size_t)n) || !memmem(room, (size_t)n, "-----BEGIN", 10))
		return err_set(err, -EINVAL, "not a text in PEM");
	out->len += (size_t)n;
	return 0;
}

static int read_pem(const char *key, const char *path, bool secret, struct buf *out,
		    struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int code = fd < 0 ? err_errno(err, -errno, "cannot be opened") : 0;

	if (code == 0 && secret)
		code = check_file(fd, err);
	if (code == 0)
		code = take_pem(fd, out, err);
	if (fd >= 0)
		close(fd);
	return code ? err_prefix(err, code, "[web] %s: %s", key, path) : 0;
}

int secrets_load_tls(const struct web_conf *web, int *ret_fd, struct err *err)
{
	struct buf pem;
	int code, fd = -1;

	if (!web->tls_cert || !web->tls_key) {
		*ret_fd = -1;
		return 0;
	}
	buf_init(&pem, 2 * PEM_MAX + 16);
	code = read_pem("tls-cert", web->tls_cert, false, &pem, err);
	buf_addc(&pem, '\n');
	if (code == 0)
		code = read_pem("tls-key", web->tls_key, true, &pem, err);
	if (code == 0) {
		fd = ipc_memfd("tapwarden-tls", pem.data, pem.len);
		if (fd < 0)
			code = err_errno(err, fd, "cannot keep the key");
	}
	if (pem.data)
		explicit_bzero(pem.data, pem.len);
	buf_done(&pem);
	if (code == 0)
		*ret_fd = fd;
	return code;
}
