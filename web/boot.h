/* Boot scripts by MAC address: who asks is known by the path alone. Edge: through http_server. */
#ifndef TW_BOOT_H
#define TW_BOOT_H

#include <stdint.h>

#include "agent/base/config.h"
#include "web/http_server.h"

struct boot_entry {
	uint8_t mac[MAC_LEN];
	const struct guest_conf *guest;
};

struct boot {
	const struct config *config;
	struct boot_entry *entries; /* in the order of MAC addresses */
	size_t n_entries;
	size_t n_without_mac; /* guests whose link has no MAC address in this configuration */
	uint64_t scripts; /* served */
	uint64_t unknown; /* MAC addresses that no guest has */
	uint64_t failed; /* scripts that could not be made */
};

/* `config` must outlive it. Two guests with one MAC address are refused. 0 or a negative errno. */
int boot_init(struct boot *ret, const struct config *config, struct err *err);
void boot_done(struct boot *boot);

/* The guest whose link has this MAC address, or NULL. */
const struct guest_conf *boot_find(const struct boot *boot, const uint8_t mac[MAC_LEN]);

/* The script of the guest with this MAC address; 404 when there is none, as text. */
void boot_serve(struct boot *boot, struct http_request *request, const uint8_t mac[MAC_LEN]);

/* The script of a guest. */
void boot_serve_guest(struct boot *boot, struct http_request *request,
		      const struct guest_conf *guest);

/* The script that sends each guest to its own. */
void boot_serve_chain(struct boot *boot, struct http_request *request);

#endif
