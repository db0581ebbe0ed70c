#include "agent/base/config_cross.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/config_boot.h"
#include "agent/base/config_range.h"
#include "agent/base/config_wishes.h"
#include "agent/base/name_template.h"
#include "agent/base/schema.h"
#include "agent/base/stats.h"

static void check_patterns(const struct config *config, struct faults *faults)
{
	for (size_t i = 0; i < config->n_patterns; i++) {
		const struct pattern_conf *p = &config->patterns[i];

		if (i == STATS_PATTERNS_MAX)
			schema_fault(faults, &p->head, NULL, "more than %u patterns",
				     STATS_PATTERNS_MAX);
		for (size_t j = 0; p->id && j < i && i < STATS_PATTERNS_MAX; j++) {
			if (config->patterns[j].id == p->id)
				schema_fault(faults, &p->head, "id", "%u is [pattern %s]'s", p->id,
					     config->patterns[j].head.name);
		}
	}
}

static void check_logs(const struct config *config, struct faults *faults)
{
	if (config->n_logs > STATS_LOGS_MAX)
		schema_fault(faults, &config->logs[STATS_LOGS_MAX].head, NULL, "more than %u logs",
			     STATS_LOGS_MAX);
}

/* Memory that capture workers share is divided: none gets less than what a file may say for one. */
static void check_shares(const struct config *config, struct faults *faults)
{
	const uint32_t n = config->agent.capture_workers;
	const struct {
		const struct conf_head *head;
		const char *key;
		uint64_t bytes, least;
	} shares[] = {
		{ &config->stream.head, "memory", config->stream.memory, 1u << 20 },
		{ &config->stream.head, "fragments", config->stream.fragments, 128u << 10 },
		{ &config->record.head, "pcap-memory", config->record.pcap_memory, 1u << 20 },
	};

	for (size_t i = 0; n > 1 && i < sizeof(shares) / sizeof(shares[0]); i++) {
		if (shares[i].bytes / n < shares[i].least)
			schema_fault(faults, shares[i].head, shares[i].key,
				     "%llu bytes are too few for %u capture workers: each needs "
				     "%llu",
				     (unsigned long long)shares[i].bytes, n,
				     (unsigned long long)shares[i].least);
	}
}

static void check_record(const struct record_conf *record, struct faults *faults)
{
	if (record->quota_bytes && record->quota_bytes < record->rotate_bytes)
		schema_fault(faults, &record->head, "quota-bytes",
			     "%llu bytes are no bound: one file may have %llu (rotate-bytes)",
			     (unsigned long long)record->quota_bytes,
			     (unsigned long long)record->rotate_bytes);
	if (record->pcap != PCAP_MATCHES && (record->before || record->after))
		schema_fault(faults, &record->head, record->before ? "before" : "after",
			     "it is for pcap = matches");
}

static bool is_damaged(const struct conf_head *head)
{
	return head->origin && head->origin->damaged;
}

/* Whether the sets and links are sound enough to ask which links they make together. */
static bool check_sets(const struct config *config, struct faults *faults)
{
	char name[IFNAME_SIZE];
	uint64_t links = 0;
	bool sound = true;
	struct err err;

	for (size_t i = 0; i < config->n_sets; i++) {
		const struct set_conf *set = &config->sets[i];
		bool fits = links <= CONFIG_LINKS_MAX;

		links += set->count + (set->host_link != NULL);
		if (fits && links > CONFIG_LINKS_MAX) {
			schema_fault(faults, &set->head, "count",
				     "%llu links with the sets before: at most %d are possible",
				     (unsigned long long)links, CONFIG_LINKS_MAX);
			sound = false;
		}
		if (!set->name || is_damaged(&set->head)) {
			sound = false;
		} else if (set->count && name_template_format(set->name, set->count, name, &err)) {
			schema_fault(faults, &set->head, "name", "%s", err.text);
			sound = false;
		}
	}
	for (size_t i = 0; i < config->n_links; i++) {
		const struct link_conf *link = &config->links[i];

		if (parse_ifname(link->head.name, &err)) {
			schema_fault(faults, &link->head, NULL, "%s", err.text);
			sound = false;
		}
		sound = sound && link->set && !is_damaged(&link->head);
	}
	return sound;
}

int config_cross_check(const struct config *config, struct faults *faults)
{
	struct link_wish *wishes = NULL;
	struct err err;
	size_t n = 0;
	int code;

	for (size_t i = 0; i < config->n_targets; i++)
		config_check_target(&config->targets[i], faults);
	for (size_t i = 0; i < config->n_guests; i++)
		config_check_guest(&config->guests[i], faults);
	check_patterns(config, faults);
	check_shares(config, faults);
	check_record(&config->record, faults);
	config_range_check(config, faults);
	check_logs(config, faults);
	if (!check_sets(config, faults))
		return 0;
	code = config_links(config, &wishes, &n, &err);
	if (code == -E2BIG) {
		schema_fault(faults, &config->links[config->n_links - 1].head, NULL, "%s",
			     err.text);
		return 0;
	}
	if (!code)
		code = config_check_wishes(config, wishes, n, faults);
	free(wishes);
	return code;
}
