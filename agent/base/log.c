#include "agent/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/utf8.h"

/* A line is written by one write(2), so that lines of several processes do not mix. */
#define LOG_LINE_MAX 2048

static struct {
	const char *process;
	enum log_level max;
	bool journal;
} log_state = { .max = LOG_LEVEL_INFO };

void log_init(const char *process, enum log_level max)
{
	log_state.process = process;
	log_state.max = max;
	log_state.journal = getenv("JOURNAL_STREAM") != NULL;
}

enum log_level log_max_level(void)
{
	return log_state.max;
}

/* What others chose may be in it. Nothing is allocated: memory may be what is missing. */
static size_t log_escape(char *out, size_t size, const char *in)
{
	const unsigned char *p = (const unsigned char *)in;
	size_t len = 0, n;

	for (size_t left = strlen(in); left > 0 && len + 5 < size; p += n, left -= n) {
		n = utf8_printable(p, left);
		if (n) {
			memcpy(out + len, p, n);
			len += n;
		} else {
			n = 1;
			len += (size_t)snprintf(out + len, size - len, "\\x%02x", *p);
		}
	}
	return len;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX / 2], line[LOG_LINE_MAX + 64];
	va_list ap;
	size_t len = 0;
	ssize_t ignored;

	if (level > log_state.max)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_state.journal)
		len += (size_t)snprintf(line, sizeof(line), "<%d>", level);
	len += (size_t)snprintf(line + len, sizeof(line) - len, "tapwarden: %s%s",
				log_state.process ? log_state.process : "",
				log_state.process ? ": " : "");
	len += log_escape(line + len, sizeof(line) - len - 1, text);
	line[len++] = '\n';
	/* There is nowhere left to report that stderr cannot be written. */
	ignored = write(STDERR_FILENO, line, len);
	(void)ignored;
}
