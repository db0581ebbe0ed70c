/*
 * What is wrong with the script that a guest gets, for whoever looks after it. Edge: http_server.
 */
#ifndef TW_BOOT_LINT_H
#define TW_BOOT_LINT_H

#include "web/boot.h"

/*
 * {"findings": [{"line", "level", "text"}]}; 500 when the script cannot be made, with the reason.
 */
void boot_lint_serve(const struct boot *boot, struct http_request *request,
		     const struct guest_conf *guest);

#endif
