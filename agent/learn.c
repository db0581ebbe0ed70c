#include "agent/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/agent.h"
#include "agent/base/log.h"

/* A timer for longer is set again on its way: a clock that is set moves the end. */
#define TIMER_MAX_S 3600

/* Leases that come together are kept and given together: a thousand guests may start at once. */
#define GATHER_MS 2

static void on_timer(uv_timer_t *timer);

static void set_timer(struct learn *learn)
{
	int64_t next = leases_next(&learn->leases), now = time(NULL), wait;

	if (learn->changed) {
		uv_timer_start(&learn->timer, on_timer, GATHER_MS, 0);
		return;
	}
	if (next == INT64_MAX) {
		uv_timer_stop(&learn->timer);
		return;
	}
	wait = next > now ? next - now : 0;
	if (wait > TIMER_MAX_S)
		wait = TIMER_MAX_S;
	uv_timer_start(&learn->timer, on_timer, (uint64_t)wait * 1000 + 1, 0);
}

/* The filters follow the leases in the next pass, which is soon. */
static void give(struct agent *a)
{
	struct err err;
	int code = reconcile_learn(a->supervisor.reconcile, &a->learn.leases, time(NULL), &err);

	if (code < 0)
		log_err("%s: its filter stays as it is", err.text);
	else if (code)
		supervisor_kick(&a->supervisor);
}

static void save(const struct agent *a, const char *run_dir)
{
	struct err err;

	if (leases_save(&a->learn.leases, run_dir, &err))
		log_err("%s: guests with leases must ask for them anew after a restart", err.text);
}

static void on_timer(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	if (leases_expire(&a->learn.leases, time(NULL)))
		a->learn.changed = a->learn.moved = true;
	if (a->learn.changed)
		save(a, a->setup.config->agent.run_dir);
	if (a->learn.moved)
		give(a);
	a->learn.changed = a->learn.moved = false;
	set_timer(&a->learn);
}

/* ---- who may give leases -------------------------------------------------------------------- */

static bool covers(const struct cidr *prefix, uint8_t family, const uint8_t *address)
{
	size_t bytes = prefix->prefix / 8;
	uint8_t mask = (uint8_t)(0xff00 >> prefix->prefix % 8);

	return prefix->family == family && memcmp(prefix->address, address, bytes) == 0 &&
	       (!mask || (prefix->address[bytes] & mask) == (address[bytes] & mask));
}

static const struct link_keys *keys_of(const struct link_wish *wishes, size_t n, const char *link)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(wishes[i].name, link) == 0)
			return wishes[i].keys;
	}
	return NULL;
}

static const char *link_with_mac(const struct agent *a, const uint8_t mac[MAC_LEN])
{
	size_t n;
	const struct reconcile_link *links = reconcile_links(a->supervisor.reconcile, &n);

	for (size_t i = 0; i < n; i++) {
		if (memcmp(links[i].spec->mac, mac, MAC_LEN) == 0 && !links[i].spec->is_host_link)
			return links[i].spec->name;
	}
	return NULL;
}

static bool is_server(const struct guest_addrs *servers, uint8_t family, const uint8_t *address)
{
	for (uint32_t i = 0; i < servers->n; i++) {
		if (covers(&servers->list[i], family, address))
			return true;
	}
	return false;
}

static void refuse(struct agent *a, const struct source *source, const struct lease *lease,
		   const struct cidr *server, const char *why)
{
	const struct event_about about = {
		.kind = IPC_EVENT_LINK,
		.link = source->message.name,
		.set = source->message.set,
		.action = "lease-refused",
	};
	char address[CIDR_TEXT_MAX], from[CIDR_TEXT_MAX];

	format_cidr(address, &lease->address);
	format_cidr(from, server);
	events_emit(&a->events, worker_channel(&a->captures[0]), LOG_LEVEL_WARNING, &about,
		    "%s of %s: %s: its guest cannot send from it", address, from, why);
}

/* False, and says so, when the answer is of somebody who gives no leases here. */
static bool judge(struct agent *a, const struct source *source, const struct link_keys *keys,
		  const struct ipc_lease *message, const struct lease *lease)
{
	const struct guest_addrs *servers = &keys->dhcp_servers;
	struct cidr server = { .family = lease->address.family, .prefix = lease->address.prefix };
	const char *guest = link_with_mac(a, message->mac);
	char why[64];

	memcpy(server.address, message->server, server.family == AF_INET ? 4 : 16);
	if (servers->n ? is_server(servers, server.family, server.address) : !guest)
		return true;
	if (servers->n)
		snprintf(why, sizeof(why), "dhcp-servers does not name that");
	else
		snprintf(why, sizeof(why), "that is the guest of %s, not in dhcp-servers", guest);
	refuse(a, source, lease, &server, why);
	return false;
}

static int64_t end_of(uint32_t seconds)
{
	if (!seconds)
		return 0;
	return seconds == UINT32_MAX ? INT64_MAX : time(NULL) + (int64_t)seconds;
}

static bool wants(struct agent *a, const struct source *source, const struct ipc_lease *message,
		  const struct lease *lease)
{
	const struct link_keys *keys;
	struct link_wish *wishes;
	bool wanted = false;
	struct err err;
	size_t n;

	if (config_links(a->setup.config, &wishes, &n, &err)) {
		log_err("%s: a lease of %s does not count", err.text, source->message.name);
		return false;
	}
	keys = keys_of(wishes, n, source->message.name);
	if (keys && keys->learn == LEARN_DHCP)
		wanted = !lease->until || judge(a, source, keys, message, lease);
	free(wishes);
	return wanted;
}

void learn_lease(struct agent *a, const struct ipc_lease *message)
{
	const struct source *source = message->slot < a->sources.n ? &a->sources.list[message->slot]
								   : NULL;
	bool ip4 = message->version == 4;
	struct lease lease = {
		.address = { .family = ip4 ? AF_INET : AF_INET6, .prefix = ip4 ? 32 : 128 },
		.until = end_of(message->seconds),
	};
	int code;

	if (!source || !source->known)
		return;
	memcpy(lease.address.address, message->address, sizeof(lease.address.address));
	memcpy(lease.mac, source->message.mac, MAC_LEN);
	snprintf(lease.link, sizeof(lease.link), "%s", source->message.name);
	if (!wants(a, source, message, &lease))
		return;
	code = leases_set(&a->learn.leases, &lease);
	if (code < 0) {
		log_err("cannot take a lease of %s: there is no room for it: its guest cannot send "
			"from it",
			lease.link);
		return;
	}
	a->learn.moved = a->learn.moved || code > 0;
	if (a->learn.changed)
		return;
	a->learn.changed = true;
	set_timer(&a->learn);
}

/* ---- life ----------------------------------------------------------------------------------- */

void learn_load(struct agent *a, const char *run_dir)
{
	struct err err;

	if (leases_load(&a->learn.leases, run_dir, &err) == 0)
		return;
	log_err("%s: it is begun anew: guests with leases must ask for them again", err.text);
	save(a, run_dir);
}

void learn_start(struct agent *a)
{
	uv_timer_init(&a->loop, &a->learn.timer);
	a->learn.timer.data = a;
	set_timer(&a->learn);
}

/* The file may be older than what is here, if it could not be written. */
void learn_reload(struct agent *a)
{
	give(a);
}

void learn_stop(struct agent *a)
{
	if (a->learn.changed)
		save(a, a->setup.config->agent.run_dir);
	uv_close((uv_handle_t *)&a->learn.timer, NULL);
}

void learn_done(struct agent *a)
{
	leases_done(&a->learn.leases);
}
