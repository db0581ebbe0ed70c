/* Messages to stderr: one line each, with the process that speaks and, under systemd, its level. */
#ifndef TW_LOG_H
#define TW_LOG_H

/* The values are those of syslog(3), as sd-daemon(3) wants them in front of a line. */
enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/*
 * `process` is put in front of every line after "tapwarden: " (NULL: nothing). It must outlive the
 * process. Lines above `max` are dropped. "<N>" leads a line when stderr goes to the journal.
 */
void log_init(const char *process, enum log_level max);

/* The level given to log_init(), for a child that is to speak as much. */
enum log_level log_max_level(void);

/*
 * A line says what was not possible, why, and what happens next, joined by ": ". Control bytes
 * in it are printed as \xNN, so that nothing a guest or a file said can forge a line.
 */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...)	 log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
