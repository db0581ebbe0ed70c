/* Inside the linter of iPXE scripts: what is wrong with one command, by itself. Pure. */
#ifndef TW_IPXE_LINT_COMMAND_H
#define TW_IPXE_LINT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/finding.h"
#include "web/ipxe_reader.h"

struct ipxe_lint {
	const struct ipxe_text *text;
	uint32_t caps;
	struct findings *findings;
	unsigned int line;
	bool initiator_set;
	bool fetched; /* an image was selected: there is something to boot */
};

#define LINT_FAULT(lint, level, ...) \
	findings_add((lint)->findings, (lint)->line, FINDING_##level, __VA_ARGS__)

/* Command `i` of a line; commands come in the order of the script. */
void ipxe_lint_command(struct ipxe_lint *lint, const struct ipxe_line *line, size_t i);

#endif
