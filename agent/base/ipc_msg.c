#include "agent/base/ipc_msg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "agent/base/config.h"
#include "agent/base/stats.h"

/* A text field must end inside itself. */
#define TEXT_OK(field) (memchr((field), '\0', sizeof(field)) != NULL)

static int verdict(bool ok)
{
	return ok ? 0 : -EBADMSG;
}

static int check_config(const void *payload)
{
	const struct ipc_config *m = payload;

	return verdict(TEXT_OK(m->host) && m->log_debug <= 1 && m->without_rules <= 1 &&
		       m->workers <= STATS_CAPTURES_MAX && m->index < m->workers &&
		       m->generation > 0);
}

static int check_listen(const void *payload)
{
	const struct ipc_listen *m = payload;

	return verdict(m->listener < IPC_LISTENERS && TEXT_OK(m->address));
}

static int check_records_in(const void *payload)
{
	const struct ipc_records_in *m = payload;

	return verdict(m->index > 0 && m->index < STATS_CAPTURES_MAX);
}

static int check_link(const void *payload)
{
	const struct ipc_link *m = payload;

	bool ring = m->ring_block_size > 0 && m->ring_blocks > 0;

	return verdict(m->slot < STATS_LINKS_MAX && m->source < IPC_SOURCES && m->has_peer <= 1 &&
		       TEXT_OK(m->name) && TEXT_OK(m->set) && TEXT_OK(m->guest) &&
		       (ring || m->source != IPC_SOURCE_PACKET));
}

/* What a worker that was taken over says is of the agent's own length, not of the guest's. */
static int check_rest(const void *payload)
{
	const struct ipc_rest *m = payload;

	return verdict(m->slot < STATS_LINKS_MAX && m->in <= IPC_REST_MAX &&
		       m->out <= IPC_REST_MAX && m->streams <= IPC_STREAMS_MAX &&
		       m->streams_at <= 2 * IPC_REST_MAX && m->lost <= 1 && m->cut <= 1);
}

static int check_peer_lost(const void *payload)
{
	const struct ipc_peer_lost *m = payload;

	return verdict(m->slot < STATS_LINKS_MAX && m->reason <= 0);
}

static int check_link_fd(const void *payload)
{
	const struct ipc_link_fd *m = payload;

	return verdict(m->slot < STATS_LINKS_MAX && m->kind < IPC_LINK_FD_KINDS &&
		       check_rest(&m->rest) == 0);
}

static int check_drain(const void *payload)
{
	const struct ipc_drain *m = payload;

	return verdict(m->last <= 1);
}

static int check_link_del(const void *payload)
{
	const struct ipc_link_del *m = payload;

	return verdict(m->slot < STATS_LINKS_MAX);
}

static int check_log(const void *payload)
{
	const struct ipc_log *m = payload;

	return verdict(m->slot < STATS_LOGS_MAX && m->partial <= 1 && m->file > 0 &&
		       m->offset <= INT64_MAX && TEXT_OK(m->name));
}

static int check_event(const void *payload)
{
	const struct ipc_event *m = payload;

	return verdict(m->kind < IPC_EVENT_KINDS && TEXT_OK(m->link) && TEXT_OK(m->set) &&
		       TEXT_OK(m->action) && TEXT_OK(m->detail));
}

static int check_fault(const void *payload)
{
	const struct ipc_fault *m = payload;

	return verdict(TEXT_OK(m->text));
}

/* An address that one host can have. */
static bool is_host(uint8_t version, const uint8_t address[16])
{
	static const uint8_t zero[16];

	if (version == 4)
		return address[0] != 0 && address[0] != 127 && address[0] < 224 &&
		       memcmp(address + 4, zero, 12) == 0;
	return version == 6 && address[0] != 0xff &&
	       (memcmp(address, zero, 15) != 0 || address[15] > 1);
}

static int check_lease(const void *payload)
{
	const struct ipc_lease *m = payload;

	return verdict(m->slot < STATS_LINKS_MAX && is_host(m->version, m->address));
}

static int check_request(const void *payload)
{
	const struct ipc_request *m = payload;

	return verdict(m->op < IPC_OPS && m->role <= ROLE_ADMIN && TEXT_OK(m->user) &&
		       TEXT_OK(m->name) && TEXT_OK(m->plan) && TEXT_OK(m->link));
}

static int check_boot_state(const void *payload)
{
	const struct ipc_boot_state *m = payload;

	return verdict(m->state < BOOT_STATES && TEXT_OK(m->guest) && TEXT_OK(m->token));
}

static int check_boot_step(const void *payload)
{
	const struct ipc_boot_step *m = payload;

	return verdict(m->step < BOOT_STEPS && m->booting < BOOT_STATES && TEXT_OK(m->guest) &&
		       TEXT_OK(m->token));
}

static int check_try(const void *payload)
{
	const struct ipc_try *m = payload;

	return verdict(m->role <= ROLE_ADMIN && m->kind < IPC_TRY_KINDS);
}

#define WORKERS (IPC_CAPTURE | IPC_WEB)

static const struct ipc_type_info types[IPC_TYPE_END] = {
	[IPC_CONFIG] = { "config", IPC_AGENT, WORKERS, sizeof(struct ipc_config), 1, check_config },
	[IPC_STATS] = { "stats", IPC_AGENT, IPC_CAPTURE, 0, 1, NULL },
	[IPC_LOG_DIR] = { "log-dir", IPC_AGENT, IPC_CAPTURE, 0, 1, NULL },
	[IPC_AUTH] = { "auth", IPC_AGENT, IPC_WEB, 0, 1, NULL },
	[IPC_TLS] = { "tls", IPC_AGENT, IPC_WEB, 0, 1, NULL },
	[IPC_LISTEN] = { "listen", IPC_AGENT, IPC_WEB, sizeof(struct ipc_listen), 1, check_listen },
	[IPC_HISTORY] = { "history", IPC_AGENT, IPC_WEB, 0, 1, NULL },
	[IPC_FEED] = { "feed", IPC_AGENT, WORKERS, 0, 1, NULL },
	[IPC_RECORDS_OUT] = { "records-out", IPC_AGENT, IPC_CAPTURE, 0, 1, NULL },
	[IPC_RECORDS_IN] = { "records-in", IPC_AGENT, IPC_CAPTURE, sizeof(struct ipc_records_in), 1,
			     check_records_in },
	[IPC_LINK_ADD] = { "link-add", IPC_AGENT, IPC_CAPTURE, sizeof(struct ipc_link), 1,
			   check_link },
	[IPC_LINK_FD] = { "link-fd", IPC_AGENT, IPC_CAPTURE, sizeof(struct ipc_link_fd), 1,
			  check_link_fd },
	[IPC_LINK_DEL] = { "link-del", IPC_AGENT, IPC_CAPTURE, sizeof(struct ipc_link_del), 0,
			   check_link_del },
	[IPC_LOG] = { "log", IPC_AGENT, IPC_CAPTURE, sizeof(struct ipc_log), 1, check_log },
	[IPC_EVENT] = { "event", IPC_AGENT, IPC_CAPTURE, sizeof(struct ipc_event), 0, check_event },
	[IPC_REPLY] = { "reply", IPC_AGENT, IPC_WEB, sizeof(struct ipc_reply), 1, NULL },
	[IPC_BOOT_STATE] = { "boot-state", IPC_AGENT, IPC_WEB, sizeof(struct ipc_boot_state), 0,
			     check_boot_state },
	[IPC_PING] = { "ping", IPC_AGENT, WORKERS, 0, 0, NULL },
	[IPC_DRAIN] = { "drain", IPC_AGENT, WORKERS, sizeof(struct ipc_drain), 0, check_drain },
	[IPC_READY] = { "ready", WORKERS, IPC_AGENT, sizeof(struct ipc_ready), 0, NULL },
	[IPC_PONG] = { "pong", WORKERS, IPC_AGENT, 0, 0, NULL },
	[IPC_FAULT] = { "fault", WORKERS, IPC_AGENT, sizeof(struct ipc_fault), 0, check_fault },
	[IPC_PEER_LOST] = { "peer-lost", IPC_CAPTURE, IPC_AGENT, sizeof(struct ipc_peer_lost), 0,
			    check_peer_lost },
	[IPC_REST] = { "rest", IPC_CAPTURE, IPC_AGENT, sizeof(struct ipc_rest), 0, check_rest },
	[IPC_LEASE] = { "lease", IPC_CAPTURE, IPC_AGENT, sizeof(struct ipc_lease), 0, check_lease },
	[IPC_RELIEVED] = { "relieved", IPC_WEB, IPC_AGENT, 0, 0, NULL },
	[IPC_REQUEST] = { "request", IPC_WEB, IPC_AGENT, sizeof(struct ipc_request), 0,
			  check_request },
	[IPC_BOOT_STEP] = { "boot-step", IPC_WEB, IPC_AGENT, sizeof(struct ipc_boot_step), 0,
			    check_boot_step },
	[IPC_TRY] = { "try", IPC_WEB, IPC_AGENT, sizeof(struct ipc_try), 1, check_try },
};

const struct ipc_type_info *ipc_type_info(uint32_t type)
{
	if (type >= IPC_TYPE_END || !types[type].name)
		return NULL;
	return &types[type];
}
