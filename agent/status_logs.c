#include "agent/status_logs.h"

#include <sys/stat.h>

static const char *state_of(const struct log_file *file)
{
	if (file->error[0])
		return "missing";
	return file->n ? "followed" : "starting";
}

static uint64_t behind(const struct log_file *file, const struct stats_log *stats)
{
	const struct log_held *last = file->n ? &file->held[file->n - 1] : NULL;
	uint64_t position = 0;
	struct stat st;

	if (!last || fstat(last->fd, &st) < 0)
		return 0;
	position = stat_get(&stats->file) == last->message.file ? stat_get(&stats->position)
								: last->message.offset;
	return (uint64_t)st.st_size > position ? (uint64_t)st.st_size - position : 0;
}

static json_t *log_json(const struct log_files *files, const struct log_file *file)
{
	const struct stats_log *stats = &files->stats->logs[file->slot];
	const struct {
		const char *name;
		const stat_counter *counter;
	} counters[] = {
		{ "lines", &stats->lines },
		{ "bytes", &stats->bytes },
		{ "matches", &stats->matches },
		{ "limited", &stats->limited },
		{ "cut", &stats->cut },
		{ "skipped", &stats->skipped },
		{ "files_lost", &stats->files_lost },
		{ "ranges_lost", &stats->ranges_lost },
	};
	json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "name", file->name, "file", file->path,
				 "state", state_of(file), "error", file->error);

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		json_object_set_new(json, counters[i].name,
				    json_integer((json_int_t)stat_get(counters[i].counter)));
	json_object_set_new(json, "notes_lost", json_integer((json_int_t)file->notes_lost));
	json_object_set_new(json, "behind", json_integer((json_int_t)behind(file, stats)));
	return json;
}

json_t *status_logs_json(const struct log_files *files)
{
	json_t *list = json_array();

	for (size_t i = 0; files && i < files->n; i++)
		json_array_append_new(list, log_json(files, &files->list[i]));
	return list;
}
