#include "web/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/ipxe_script.h"
#include "web/reply.h"

static int compare(const void *a, const void *b)
{
	const struct boot_entry *x = a, *y = b;

	return memcmp(x->mac, y->mac, MAC_LEN);
}

static int compare_wishes(const void *a, const void *b)
{
	const struct link_wish *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* `links` in the order of their names. */
static const struct link_wish *find_link(const struct link_wish *links, size_t n, const char *name)
{
	struct link_wish key = { .set = NULL };

	snprintf(key.name, sizeof(key.name), "%s", name);
	return n ? bsearch(&key, links, n, sizeof(key), compare_wishes) : NULL;
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

int boot_init(struct boot *ret, const struct config *config, struct api *api, struct err *err)
{
	struct boot boot = { .config = config, .api = api };
	struct link_wish *links = NULL;
	size_t n_links = 0;
	int code;

	code = config_links(config, &links, &n_links, err);
	if (code)
		goto out;
	if (n_links)
		qsort(links, n_links, sizeof(*links), compare_wishes);
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
	for (size_t i = 0; i < boot->n_entries; i++)
		free(boot->entries[i].script);
	free(boot->entries);
	*boot = (struct boot){ 0 };
}

const struct boot_entry *boot_entry_of(const struct boot *boot, const struct guest_conf *guest)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		if (boot->entries[i].guest == guest)
			return &boot->entries[i];
	}
	return NULL;
}

void boot_take_state(struct boot *boot, const struct ipc_boot_state *state)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		struct boot_entry *entry = &boot->entries[i];

		if (strcmp(entry->guest->head.name, state->guest) != 0)
			continue;
		entry->state = (enum boot_state)state->state;
		memcpy(entry->token, state->token, sizeof(entry->token));
	}
}

void boot_tell(const struct boot *boot, const struct http_request *request,
	       struct boot_entry *entry, enum boot_step step, bool changes)
{
	struct ipc_boot_step message = { .step = step, .booting = entry->booting };
	uint64_t now = uv_now(boot->loop);

	/* What changes a state is never left out. */
	if (!boot->channel || http_is_head(request) ||
	    (!changes && entry->told_ms[step] && now - entry->told_ms[step] < BOOT_TELL_MS))
		return;
	entry->told_ms[step] = now ? now : 1;
	snprintf(message.guest, sizeof(message.guest), "%s", entry->guest->head.name);
	if (step == BOOT_STEP_HOME && changes)
		memcpy(message.token, entry->token, sizeof(message.token));
	ipc_send(boot->channel, IPC_BOOT_STEP, &message, -1);
}

static struct boot_entry *find(const struct boot *boot, const uint8_t mac[MAC_LEN])
{
	struct boot_entry key = { .guest = NULL };

	memcpy(key.mac, mac, MAC_LEN);
	return boot->entries ? bsearch(&key, boot->entries, boot->n_entries, sizeof(key), compare)
			     : NULL;
}

static void serve(struct boot *boot, struct http_request *request, struct boot_entry *entry,
		  const struct route_match *match)
{
	if (match->id != ROUTE_BOOT_GUEST) {
		boot_serve_file(boot, request, entry, match);
		return;
	}
	boot_serve_script(boot, request, entry);
}

/* What a connection's tag says: which entry its machine is. */
static uint64_t tag_of(const struct boot *boot, const struct boot_entry *entry)
{
	return (uint64_t)(entry - boot->entries) + 1;
}

static void on_peer(void *data, struct http_request *request, int error, int fd, size_t length)
{
	struct boot *boot = data;
	struct route_match match;
	struct boot_entry *entry = NULL;

	(void)fd;
	(void)length;
	if (!request)
		return;
	if (route_match(IPC_LISTEN_BOOT, request->method, request->target, &match, NULL) == 0)
		entry = find(boot, match.mac);
	if (!entry) {
		reply_text(request, 500, "the request is not understood any more\n");
	} else if (!error) {
		*http_connection_tag(request) = tag_of(boot, entry);
		serve(boot, request, entry, &match);
	} else if (error == -EACCES) {
		boot->refused++;
		reply_text(request, 403, "this is for the machine with that MAC address\n");
	} else {
		boot->unasked++;
		reply_text(request, 503, "the agent does not say who asks: try again\n");
	}
}

/* An IPv4 client of an IPv6 socket shows as ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2). */
static void write_peer(const struct http_request *request, char *out, size_t size)
{
	static const char mapped[] = "::ffff:";
	char text[HTTP_PEER_MAX];

	http_peer_text(request, text);
	if (strncmp(text, mapped, strlen(mapped)) == 0 && strchr(text, '.'))
		snprintf(out, size, "%s", text + strlen(mapped));
	else
		snprintf(out, size, "%s", text);
}

static void ask_peer(struct boot *boot, struct http_request *request,
		     const struct boot_entry *entry)
{
	struct ipc_request ask = { .op = IPC_OP_PEER,
				   .role = ROLE_VIEWER,
				   .scope = http_peer_scope(request),
				   .user = "guest" };

	write_peer(request, ask.name, sizeof(ask.name));
	snprintf(ask.link, sizeof(ask.link), "%s", entry->guest->link);
	api_ask_for(boot->api, request, &ask, on_peer, boot);
}

void boot_serve(struct boot *boot, struct http_request *request, const struct route_match *match)
{
	struct boot_entry *entry = find(boot, match->mac);

	if (!entry) {
		boot->unknown++;
		if (boot->config->web.boot_unknown == BOOT_UNKNOWN_EXIT &&
		    match->id == ROUTE_BOOT_GUEST)
			reply_text(request, 200, ipxe_unknown_script());
		else
			reply_text(request, 404, "no guest has this MAC address\n");
	} else if (boot->config->web.boot_answers == BOOT_ANSWERS_ANYBODY ||
		   *http_connection_tag(request) == tag_of(boot, entry)) {
		serve(boot, request, entry, match);
	} else {
		ask_peer(boot, request, entry);
	}
}
