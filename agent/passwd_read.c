#include "agent/passwd_read.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* What ends or stops a program at its terminal. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* The terminal without echo, and signals that come only while it is waited for. */
struct quiet {
	struct termios shown;
	struct sigaction actions[SIGNALS];
	sigset_t mask;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* Who started this program may have had some of them ignored: they stay so. */
static void catch_signals(struct quiet *quiet)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t caught;

	sigemptyset(&caught);
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &quiet->actions[i]);
		if (quiet->actions[i].sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&caught, signals[i]);
	}
	interrupted = 0;
	sigprocmask(SIG_BLOCK, &caught, &quiet->mask);
}

static void release_signals(const struct quiet *quiet)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &quiet->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &quiet->mask, NULL);
}

/* From a terminal: until the end of a line, of the input, of the buffer, or a signal. */
static ssize_t read_line(int tty, const sigset_t *mask, char *out, size_t size)
{
	size_t done = 0;

	while (done < size && !memchr(out, '\n', done)) {
		struct pollfd one = { .fd = tty, .events = POLLIN };
		ssize_t n = ppoll(&one, 1, NULL, mask);

		if (n >= 0)
			n = read(tty, out + done, size - done);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int ask_once(int tty, const sigset_t *mask, const char *prompt, struct passwd_text *ret,
		    struct err *err)
{
	char bytes[READ_MAX];
	ssize_t n;
	int code;

	dprintf(tty, "%s", prompt);
	n = read_line(tty, mask, bytes, sizeof(bytes));
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

static int ask_all(int tty, const sigset_t *mask, bool twice, struct passwd_text *ret,
		   struct err *err)
{
	struct passwd_text again = { "" };
	int code = ask_once(tty, mask, "Password: ", ret, err);

	if (code == 0 && twice)
		code = ask_once(tty, mask, "Once more: ", &again, err);
	if (code == 0 && twice && strcmp(again.text, ret->text) != 0)
		code = err_set(err, -EINVAL, "the two passwords differ");
	explicit_bzero(&again, sizeof(again));
	return code;
}

/* The terminal is as it was after it, whatever ended it. */
static int ask_quietly(int tty, bool twice, struct passwd_text *ret, struct err *err)
{
	struct quiet quiet;
	struct termios hidden;
	int code;

	if (tcgetattr(tty, &quiet.shown) < 0)
		return err_errno(err, -errno, "cannot ask at the terminal");
	hidden = quiet.shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	catch_signals(&quiet);
	/* What was typed before the echo is off is thrown away: it was seen. */
	tcsetattr(tty, TCSAFLUSH, &hidden);
	code = ask_all(tty, &quiet.mask, twice, ret, err);
	tcsetattr(tty, TCSAFLUSH, &quiet.shown);
	release_signals(&quiet);
	return interrupted ? err_set(err, -EINTR, "interrupted") : code;
}

int passwd_ask(bool twice, struct passwd_text *ret, struct err *err)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int code;

	if (tty < 0)
		return err_set(err, -ENOTTY, "no terminal to ask at: -s reads it from stdin");
	do {
		code = ask_quietly(tty, twice, ret, err);
		/* It is asked for anew when the shell lets this program go on. */
		if (interrupted == SIGTSTP)
			raise(SIGTSTP);
	} while (interrupted == SIGTSTP);
	close(tty);
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
