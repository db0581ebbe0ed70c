/* An iPXE script to look at: a guest's own, one in a file, or one on stdin. */
#ifndef TW_BOOT_SCRIPT_H
#define TW_BOOT_SCRIPT_H

#include "agent/base/buf.h"
#include "agent/base/config.h"
#include "agent/base/err.h"
#include "web/boot_spec.h"

struct boot_script {
	const char *name; /* as messages call it */
	struct buf text;
	uint32_t caps; /* of the guest's iPXE; 0 for a file: that of Debian */
	struct config *config; /* NULL for a file, then `spec` is not set */
	struct boot_spec spec;
};

/*
 * `word` is "-", a file when it has a '/' or ends in ".ipxe", else a guest of the configuration at
 * `path`, whose faults go to stderr. 0 or a negative errno; the caller frees `ret` by
 * boot_script_done().
 */
int boot_script_load(const char *path, const char *word, struct boot_script *ret, struct err *err);
void boot_script_done(struct boot_script *script);

/*
 * Appends the script that `uri` names beside that of the file at `script`, as a relative one does.
 * -ENOENT when it is not relative, or the first is no file.
 */
int boot_script_beside(const char *script, const char *uri, struct buf *out);

/* "https,imgverify" as a mask of 1 << enum ipxe_cap. */
int boot_caps_parse(const char *words, uint32_t *ret, struct err *err);

/* All that stdin has, up to the buffer's bound. */
int boot_read_stdin(struct buf *out, struct err *err);

#endif
