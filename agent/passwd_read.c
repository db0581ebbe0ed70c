#include "agent/passwd_read.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/base/fd_io.h"

/* With its newline, and one byte more to see that there is more. */
#define READ_MAX (PASSWORD_MAX + 2)

/* One line without its newline; `len` bytes were read. */
static int take_line(const char *bytes, size_t len, struct passwd_text *ret, struct err *err)
{
	const char *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) : len;

	if (end && n + 1 < len)
		return err_set(err, -EINVAL, "more than one line: a password is one");
	if (n > PASSWORD_MAX)
		return err_set(err, -ERANGE, "a password has at most %d bytes", PASSWORD_MAX);
	if (memchr(bytes, '\0', n))
		return err_set(err, -EINVAL,
			       "a NUL byte in the password: crypt(3) would stop there");
	memcpy(ret->text, bytes, n);
	ret->text[n] = '\0';
	return 0;
}

/* From a terminal: until the end of a line, of the input, of the buffer, or a signal. */
static ssize_t read_line(int tty, char *out, size_t size)
{
	size_t done = 0;

	while (done < size && !memchr(out, '\n', done)) {
		ssize_t n = read(tty, out + done, size - done);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* Without SA_RESTART, so that read(2) returns and the terminal gets its echo back. */
static void catch_signals(struct sigaction old[3])
{
	static const int numbers[3] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	for (int i = 0; i < 3; i++)
		sigaction(numbers[i], &action, &old[i]);
}

static void release_signals(const struct sigaction old[3])
{
	static const int numbers[3] = { SIGINT, SIGTERM, SIGHUP };

	for (int i = 0; i < 3; i++)
		sigaction(numbers[i], &old[i], NULL);
}

static int ask_once(int tty, const char *prompt, struct passwd_text *ret, struct err *err)
{
	char bytes[READ_MAX];
	ssize_t n;
	int code;

	dprintf(tty, "%s", prompt);
	n = read_line(tty, bytes, sizeof(bytes));
	dprintf(tty, "\n");
	if (n < 0)
		code = err_errno(err, (int)n, "cannot read the terminal");
	else if (n == 0)
		code = err_set(err, -EINVAL, "no password was typed");
	else
		code = take_line(bytes, (size_t)n, ret, err);
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}

static int ask_all(int tty, bool twice, struct passwd_text *ret, struct err *err)
{
	struct passwd_text again = { "" };
	int code = ask_once(tty, "Password: ", ret, err);

	if (code == 0 && twice)
		code = ask_once(tty, "Once more: ", &again, err);
	if (code == 0 && twice && strcmp(again.text, ret->text) != 0)
		code = err_set(err, -EINVAL, "the two passwords differ");
	explicit_bzero(&again, sizeof(again));
	return code;
}

int passwd_ask(bool twice, struct passwd_text *ret, struct err *err)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios old, quiet;
	struct sigaction actions[3];
	int code;

	if (tty < 0 || tcgetattr(tty, &old) < 0) {
		if (tty >= 0)
			close(tty);
		return err_set(err, -ENOTTY, "no terminal to ask at: -s reads it from stdin");
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	interrupted = 0;
	catch_signals(actions);
	/* What was typed before the echo is off is thrown away: it was seen. */
	tcsetattr(tty, TCSAFLUSH, &quiet);
	code = ask_all(tty, twice, ret, err);
	tcsetattr(tty, TCSAFLUSH, &old);
	release_signals(actions);
	close(tty);
	if (interrupted)
		return err_set(err, -EINTR, "interrupted");
	return code;
}

int passwd_read_stdin(struct passwd_text *ret, struct err *err)
{
	char bytes[READ_MAX];
	ssize_t n = fd_read_all(STDIN_FILENO, bytes, sizeof(bytes));
	int code;

	if (n < 0)
		code = err_errno(err, (int)n, "cannot read stdin");
	else
		code = take_line(bytes, (size_t)n, ret, err);
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}
