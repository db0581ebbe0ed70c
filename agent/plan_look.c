#include "agent/plan_look.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/hash.h"
#include "agent/base/plural.h"
#include "agent/config_check.h"
#include "agent/plan_view.h"
#include "agent/reach_view.h"
#include "agent/reconcile.h"

/* Of what every process of a configuration reads: its text without comments. */
#define TEXT_MAX (4u << 20)

json_t *plan_faults_json(const struct faults *faults, const char *detail)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->list[i];

		json_array_append_new(list,
				      json_pack("{s:s?, s:i, s:s?, s:s?, s:s?}", "file", f->file,
						"line", (int)f->line, "section", f->section, "key",
						f->key, "message", f->text));
	}
	return json_pack("{s:s, s:o}", "detail", detail, "errors", list);
}

/* Two plans of one file are to be told apart, and nobody gains by making two alike. */
static int hash_all(const struct config *config, const json_t *plan, char ret[17], struct err *err)
{
	char *dump = json_dumps(plan, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = HASH_INIT;
	struct buf text;
	int code = dump ? 0 : err_set(err, -ENOMEM, "no memory for the plan");

	buf_init(&text, TEXT_MAX);
	for (unsigned int role = CONFIG_FOR_AGENT; code == 0 && role <= CONFIG_FOR_WEB; role <<= 1)
		code = config_write(config, (enum config_role)role, &text, err);
	if (dump)
		hash = hash_bytes(hash, dump, strlen(dump));
	if (text.data) {
		hash = hash_bytes(hash, text.data, text.len);
		explicit_bzero(text.data, text.len);
	}
	buf_done(&text);
	free(dump);
	if (code == 0)
		snprintf(ret, 17, "%016" PRIx64, hash);
	return code;
}

static json_t *ports_json(const struct port_plan *ports)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ports->n; i++)
		json_array_append_new(list, plan_view_port_json(&ports->steps[i]));
	return list;
}

json_t *plan_json(const struct reconcile *reconcile, const struct link_plan *plan)
{
	json_t *json = plan_view_json(plan);

	json_object_set_new(json, "ports", ports_json(reconcile_port_plan(reconcile)));
	return json;
}

static int plan_config(const struct config *config, json_t **ret, struct err *err)
{
	struct reconcile *reconcile = NULL;
	const struct link_plan *plan;
	json_t *json = NULL;
	char hash[17];
	int code = reconcile_open_once(config, &reconcile, err);

	if (code == 0)
		code = reconcile_plan(reconcile, RECONCILE_GOAL_CONFIG, false, &plan, err);
	if (code == 0) {
		json = plan_json(reconcile, plan);
		code = hash_all(config, json, hash, err);
	}
	if (code == 0) {
		json_object_set_new(json, "hash", json_string(hash));
		*ret = json;
	} else {
		json_decref(json);
	}
	reconcile_free(reconcile);
	return code;
}

int plan_look(const char *path, json_t **ret, struct err *err)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	int code = config_check(path, &config, &faults);

	if (code) {
		code = err_set(err, -EBADMSG, "%zu fault%s in the configuration file",
			       faults.n + faults.n_dropped,
			       plural(faults.n + faults.n_dropped, "", "s"));
		*ret = plan_faults_json(&faults, err->text);
	} else {
		code = plan_config(config, ret, err);
	}
	config_free(config);
	faults_done(&faults);
	return code;
}

int reach_look(const struct config *config, json_t **ret, struct err *err)
{
	struct reconcile *reconcile = NULL;
	const struct link_plan *plan;
	struct reach reach = { 0 };
	int code = reconcile_open_once(config, &reconcile, err);

	if (code == 0)
		code = reconcile_plan(reconcile, RECONCILE_GOAL_CONFIG, false, &plan, err);
	if (code == 0)
		code = reconcile_reach(reconcile, &reach, err);
	if (code == 0) {
		*ret = reach_view_json(&reach, NULL);
		reach_done(&reach);
	}
	reconcile_free(reconcile);
	return code == 0 && !*ret ? err_set(err, -ENOMEM, "no memory for the answer") : code;
}
