#include "web/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "web/ipxe_script.h"
#include "web/reply.h"

static int compare(const void *a, const void *b)
{
	const struct boot_entry *x = a, *y = b;

	return memcmp(x->mac, y->mac, MAC_LEN);
}

static const struct link_wish *find_link(const struct link_wish *links, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	}
	return NULL;
}

static int check_doubles(const struct boot *boot, struct err *err)
{
	for (size_t i = 1; i < boot->n_entries; i++) {
		const struct boot_entry *a = &boot->entries[i - 1], *b = a + 1;
		char mac[MAC_TEXT_MAX];

		if (compare(a, b) != 0)
			continue;
		format_mac(mac, a->mac);
		return err_set(err, -EINVAL, "guests %s and %s have the same MAC address %s",
			       a->guest->head.name, b->guest->head.name, mac);
	}
	return 0;
}

int boot_init(struct boot *ret, const struct config *config, struct err *err)
{
	struct boot boot = { .config = config };
	struct link_wish *links = NULL;
	size_t n_links = 0;
	int code;

	code = config_links(config, &links, &n_links, err);
	if (code)
		goto out;
	boot.entries = calloc(config->n_guests + 1, sizeof(*boot.entries));
	if (!boot.entries) {
		code = err_errno(err, -ENOMEM, "cannot index the guests");
		goto out;
	}
	for (size_t i = 0; i < config->n_guests; i++) {
		const struct guest_conf *guest = &config->guests[i];
		const struct link_wish *link = find_link(links, n_links, guest->link);

		if (!link || !mac_is_unicast(link->mac)) {
			boot.n_without_mac++;
			continue;
		}
		memcpy(boot.entries[boot.n_entries].mac, link->mac, MAC_LEN);
		boot.entries[boot.n_entries++].guest = guest;
	}
	qsort(boot.entries, boot.n_entries, sizeof(*boot.entries), compare);
	code = check_doubles(&boot, err);
	if (code)
		goto out;
	*ret = boot;
	boot.entries = NULL;
out:
	free(boot.entries);
	free(links);
	return code;
}

void boot_done(struct boot *boot)
{
	free(boot->entries);
	*boot = (struct boot){ 0 };
}

const struct guest_conf *boot_find(const struct boot *boot, const uint8_t mac[MAC_LEN])
{
	struct boot_entry key, *found;

	memcpy(key.mac, mac, MAC_LEN);
	if (!boot->entries)
		return NULL;
	found = bsearch(&key, boot->entries, boot->n_entries, sizeof(key), compare);
	return found ? found->guest : NULL;
}

void boot_serve_guest(struct boot *boot, struct http_request *request,
		      const struct guest_conf *guest)
{
	struct boot_spec spec;
	struct buf script;
	struct err err;
	int code;

	buf_init(&script, IPXE_SCRIPT_MAX);
	code = boot_spec_init(&spec, boot->config, guest, &err);
	if (!code)
		code = ipxe_script(&spec, &script, &err);
	if (code) {
		boot->failed++;
		log_debug("no script for guest %s: %s", guest->head.name, err.text);
		reply_text(request, 500, "the boot script of this guest cannot be made\n");
	} else {
		boot->scripts++;
		reply_text(request, 200, script.data);
	}
	buf_done(&script);
}

void boot_serve(struct boot *boot, struct http_request *request, const uint8_t mac[MAC_LEN])
{
	const struct guest_conf *guest = boot_find(boot, mac);

	if (guest) {
		boot_serve_guest(boot, request, guest);
		return;
	}
	boot->unknown++;
	reply_text(request, 404, "no guest has this MAC address\n");
}

void boot_serve_chain(struct boot *boot, struct http_request *request)
{
	boot->scripts++;
	reply_text(request, 200, ipxe_chain_script());
}
