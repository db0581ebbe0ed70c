/*
 * A configuration from INI text, read as a worker reads its copy, for tests that need one. Its
 * users link, beside their own: agent/base/config.c and what that needs (CONF_LINKS in their first
 * lines).
 */
#ifndef TW_CONF_TEXT_H
#define TW_CONF_TEXT_H

#include <string.h>
#include <unistd.h>

#include "agent/base/config.h"
#include "agent/base/ipc.h"

/* NULL, with the first fault printed, when the text has one. The caller frees it. */
static inline struct config *config_from_text(const char *text)
{
	struct config *config = NULL;
	struct faults faults = { 0 };
	struct buf line;
	int fd = ipc_memfd("config", text, strlen(text));

	if (config_load_fd(fd, &config, &faults) != 0) {
		buf_init(&line, 4096);
		if (faults.n)
			fault_format(&faults.list[0], &line);
		print_error("%s\n", line.data ? line.data : "no fault told");
		buf_done(&line);
	}
	faults_done(&faults);
	close(fd);
	return config;
}

#endif
