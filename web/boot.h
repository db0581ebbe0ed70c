/*
 * Boot scripts by MAC address, for the machine behind the link that has it. Edge: through
 * http_server.
 *
 * Who asks is told by the agent, by the hardware address that the host's answers go to, once for a
 * connection: what another guest boots from goes to no one else, whatever address it writes.
 */
#ifndef TW_BOOT_H
#define TW_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/ipc.h"
#include "web/api.h"
#include "web/http_server.h"
#include "web/routes.h"

struct boot_entry {
	uint8_t mac[MAC_LEN];
	const struct guest_conf *guest;
	enum boot_state state;
	enum boot_state booting; /* what its last script was of */
	char token[BOOT_TOKEN_SIZE]; /* that a phone-home must show; "": it changes nothing */
	uint64_t told_ms
		[BOOT_STEPS]; /* when the agent was last told of the step; the loop's clock */
	char *script; /* as it was last served to the guest, since that takes longest; NULL: none */
	enum boot_state script_state; /* what it is of */
	bool script_chosen;
};

/* Of one guest's steps of one kind the agent is told once in so long. */
#define BOOT_TELL_MS 1000

struct boot {
	const struct config *config;
	struct api *api; /* by which the agent is asked who a client is */
	struct ipc_channel *channel; /* by which it is told how far a guest came; NULL: not */
	uv_loop_t *loop;
	struct boot_entry *entries; /* in the order of MAC addresses */
	size_t n_entries;
	size_t n_without_mac; /* guests whose link has no MAC address in this configuration */
	uint64_t scripts; /* served */
	uint64_t files; /* kernels, initrds and seeds served */
	uint64_t unknown; /* MAC addresses that no guest has */
	uint64_t refused; /* asked by a machine behind no link, or another one */
	uint64_t unasked; /* the agent did not say who it was */
	uint64_t homes_refused; /* phone-homes without the token that was given out */
	uint64_t failed; /* scripts or files that could not be made or read */
};

/*
 * `config` and `api` must outlive it. Two guests with one MAC address are refused. 0 or a negative
 * errno.
 */
int boot_init(struct boot *ret, const struct config *config, struct api *api, struct err *err);
void boot_done(struct boot *boot);

/*
 * What a route under /ipxe/{mac} gives, at once or later; as text 404 when there is no such guest
 * (unless boot-unknown says otherwise) or file, 403 for whom it is not, 503 when the agent cannot
 * tell who asks.
 */
void boot_serve(struct boot *boot, struct http_request *request, const struct route_match *match);

/* What a guest boots from here on; one that is not known is none of this configuration. */
void boot_take_state(struct boot *boot, const struct ipc_boot_state *state);

/*
 * With what `request` gets the guest takes a step, of which the agent is told. `changes`: its state
 * is another one by it; a phone-home then is of the entry's token.
 */
void boot_tell(const struct boot *boot, const struct http_request *request,
	       struct boot_entry *entry, enum boot_step step, bool changes);

/*
 * Appends the script that a guest gets now; `entry` may be NULL. `ret_caps` is what its iPXE can
 * do, a mask as of ipxe_lint(). 0 or as ipxe_script_of().
 */
int boot_script_of(const struct boot *boot, const struct guest_conf *guest,
		   const struct boot_entry *entry, struct buf *out, uint32_t *ret_caps,
		   struct err *err);

/* The same script to a user. */
void boot_serve_guest(struct boot *boot, struct http_request *request,
		      const struct guest_conf *guest);

/* To the guest itself: its script or its menu, and what it chose there. */
void boot_serve_script(struct boot *boot, struct http_request *request, struct boot_entry *entry);

/* The entry of a guest, or NULL when its link has no MAC address here. */
const struct boot_entry *boot_entry_of(const struct boot *boot, const struct guest_conf *guest);

/* A kernel, initrd, seed or what its menu offers, to the guest itself. */
void boot_serve_file(struct boot *boot, struct http_request *request, struct boot_entry *entry,
		     const struct route_match *match);

/* The script that sends each guest to its own. */
void boot_serve_chain(struct boot *boot, struct http_request *request);

#endif
