#include "agent/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 250

/* What inotify(7) queues fits into it, however long a name is. */
#define NOTES_MAX 4096

/* ---- opening -------------------------------------------------------------------------------- */

/*
 * Somebody who may write into the folder could put a link to a file there that only root may read,
 * and have its lines in the records: links are root's, or are not followed.
 */
static int open_path(const char *path, int *ret_fd, const char **ret_why)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int fd = open(path, flags | O_NOFOLLOW);

	if (fd < 0 && errno == ELOOP) {
		if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid != 0) {
			*ret_why = "it is a symbolic link that is not root's";
			return -ELOOP;
		}
		fd = open(path, flags);
	}
	if (fd < 0) {
		*ret_why = strerror(errno);
		return -errno;
	}
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		*ret_why = "it is not a regular file";
		return -EINVAL;
	}
	*ret_fd = fd;
	return 0;
}

/* Whether the offset is behind a newline, or at the beginning. */
static bool begins_line(int fd, uint64_t offset)
{
	char before;

	if (!offset)
		return true;
	return pread(fd, &before, 1, (off_t)(offset - 1)) == 1 && before == '\n';
}

/* ---- telling -------------------------------------------------------------------------------- */

static void send_held(const struct log_held *held, struct ipc_channel *channel)
{
	if (channel)
		ipc_send(channel, IPC_LOG, &held->message, held->fd);
}

static void set_error(struct log_files *files, struct log_file *file, const char *why)
{
	char detail[600];

	if (strcmp(file->error, why) == 0)
		return;
	snprintf(file->error, sizeof(file->error), "%.127s", why);
	if (!*why)
		return;
	snprintf(detail, sizeof(detail), "log %s: cannot follow %.300s: %s: it is looked for again",
		 file->name, file->path, why);
	files->ops->event(files->data, file, "log-missing", detail);
}

/* ---- rotation ------------------------------------------------------------------------------- */

static void drop_first(struct log_file *file)
{
	close(file->held[0].fd);
	file->n--;
	memmove(file->held, file->held + 1, file->n * sizeof(file->held[0]));
}

/* The worker has begun a later file: those before it were read to their ends. */
static void drop_read(const struct log_files *files, struct log_file *file)
{
	uint64_t now = stat_get(&files->stats->logs[file->slot].file);

	while (file->n > 1 && now && file->held[0].message.file < now)
		drop_first(file);
}

static bool is_held(const struct log_file *file, const struct stat *st)
{
	for (size_t i = 0; i < file->n; i++) {
		if (file->held[i].dev == st->st_dev && file->held[i].ino == st->st_ino)
			return true;
	}
	return false;
}

static void take(struct log_files *files, struct log_file *file, int fd, const struct stat *st)
{
	struct log_held *held;
	char detail[600];

	drop_read(files, file);
	/* The worker has as many, and told that it could not take more. */
	if (file->n == LOG_FILES_HELD)
		drop_first(file);
	held = &file->held[file->n++];
	*held = (struct log_held){ .fd = fd, .dev = st->st_dev, .ino = st->st_ino };
	held->message.slot = file->slot;
	held->message.file = files->next_file++;
	memcpy(held->message.name, file->name, sizeof(file->name));
	if (!file->looked) {
		held->message.offset = (uint64_t)st->st_size;
		held->message.partial = !begins_line(fd, held->message.offset);
	}
	set_error(files, file, "");
	send_held(held, files->ops->channel(files->data));
	snprintf(detail, sizeof(detail), "log %s: %.300s is followed from byte %llu on", file->name,
		 file->path, (unsigned long long)held->message.offset);
	files->ops->event(files->data, file, file->n > 1 ? "log-rotated" : "log-followed", detail);
}

/* A file that was in the place and is not any more, found by its new name. */
static void take_moved(struct log_files *files, struct log_file *file, const char *name)
{
	const char *base = strrchr(file->path, '/') + 1, *why;
	char path[PATH_MAX];
	struct stat st;
	int fd = -1;

	if (snprintf(path, sizeof(path), "%.*s%s", (int)(base - file->path), file->path, name) >=
		    (int)sizeof(path) ||
	    open_path(path, &fd, &why))
		return;
	if (fstat(fd, &st) < 0 || is_held(file, &st))
		close(fd);
	else
		take(files, file, fd, &st);
}

/*
 * What was renamed since the last look is not known: what is at the paths now is looked at as ever.
 */
static void tell_overflow(struct log_files *files)
{
	char detail[600];

	for (size_t i = 0; i < files->n; i++) {
		struct log_file *file = &files->list[i];

		file->moved = 0;
		snprintf(
			detail, sizeof(detail),
			"log %s: so much was renamed at once that the kernel let go of its notes "
			"(fs.inotify.max_queued_events): a file that was rotated twice in a quarter of "
			"a second may be missed: %.300s is looked at again",
			file->name, file->path);
		file->notes_lost++;
		files->ops->event(files->data, file, "log-notes-lost", detail);
	}
}

static bool take_note(struct log_files *files, const struct inotify_event *note)
{
	bool known = false;

	for (size_t i = 0; i < files->n; i++) {
		struct log_file *file = &files->list[i];

		if (file->watch != note->wd)
			continue;
		known = true;
		if ((note->mask & IN_MOVED_FROM) &&
		    strcmp(note->name, strrchr(file->path, '/') + 1) == 0)
			file->moved = note->cookie;
		else if ((note->mask & IN_MOVED_TO) && note->cookie == file->moved)
			take_moved(files, file, note->name);
	}
	return known;
}

/*
 * What was moved since the last look: a file that came and was rotated away in between is under the
 * name that it was given. Of one that was removed, or moved out of its folder, nothing is known.
 */
static void read_notes(struct log_files *files)
{
	_Alignas(struct inotify_event) char notes[NOTES_MAX];
	ssize_t n;

	while ((n = read(files->notes, notes, sizeof(notes))) > 0) {
		const struct inotify_event *note;

		for (const char *at = notes; at < notes + n; at += sizeof(*note) + note->len) {
			note = (const struct inotify_event *)at;
			if (note->mask & IN_Q_OVERFLOW)
				tell_overflow(files);
			if (!take_note(files, note) && note->wd >= 0)
				inotify_rm_watch(files->notes, note->wd);
		}
	}
}

/*
 * Each time anew, since the folder may be another: for the same one the kernel has the same number.
 */
static void watch_folder(const struct log_files *files, struct log_file *file)
{
	const char *base = strrchr(file->path, '/') + 1;
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", (int)(base - file->path), file->path);
	file->watch =
		inotify_add_watch(files->notes, folder, IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
}

static void look_at(struct log_files *files, struct log_file *file)
{
	const struct log_held *last = file->n ? &file->held[file->n - 1] : NULL;
	const char *why = "";
	struct stat st;
	int fd = -1;

	/* Without opening it, as long as it is the same. */
	if (last && stat(file->path, &st) == 0 && st.st_dev == last->dev &&
	    st.st_ino == last->ino) {
		set_error(files, file, "");
		drop_read(files, file);
		return;
	}
	if (open_path(file->path, &fd, &why)) {
		set_error(files, file, why);
	} else {
		/* What was in the place before it has its note by now, and comes first. */
		read_notes(files);
		if (fstat(fd, &st) < 0 || is_held(file, &st))
			close(fd);
		else
			take(files, file, fd, &st);
	}
	file->looked = true;
}

static void on_look(uv_timer_t *timer)
{
	struct log_files *files = timer->data;

	read_notes(files);
	for (size_t i = 0; i < files->n; i++) {
		watch_folder(files, &files->list[i]);
		look_at(files, &files->list[i]);
	}
}

/* ---- life ----------------------------------------------------------------------------------- */

void log_files_init(struct log_files *files, uv_loop_t *loop, const struct stats_page *stats,
		    const struct log_files_ops *ops, void *data)
{
	*files = (struct log_files){
		.stats = stats, .ops = ops, .data = data, .next_file = 1, .open = true
	};
	/* Without it, what is renamed between two looks is missed. */
	files->notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	uv_timer_init(loop, &files->timer);
	files->timer.data = files;
}

static void file_done(struct log_file *file)
{
	while (file->n)
		drop_first(file);
	free(file->path);
}

static struct log_file *find(const struct log_files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++) {
		if (strcmp(files->list[i].name, name) == 0)
			return &files->list[i];
	}
	return NULL;
}

static uint32_t free_slot(const struct log_files *files)
{
	uint32_t slot = 0;

	for (size_t i = 0; i < files->n; i++) {
		if (files->list[i].slot != slot)
			continue;
		slot++;
		i = SIZE_MAX; /* from the first on */
	}
	return slot;
}

static void add(struct log_files *files, const struct log_conf *conf)
{
	struct log_file *list = realloc(files->list, (files->n + 1) * sizeof(*list)), *file;

	if (!list)
		return;
	files->list = list;
	file = &list[files->n];
	*file = (struct log_file){
		.path = strdup(conf->follow),
		.slot = free_slot(files),
		.watch = -1,
		.wanted = true,
	};
	if (!file->path)
		return;
	snprintf(file->name, sizeof(file->name), "%s", conf->head.name);
	files->n++;
}

void log_files_set(struct log_files *files, const struct config *config)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->n; i++)
		files->list[i].wanted = false;
	for (size_t i = 0; i < config->n_logs; i++) {
		struct log_file *file = find(files, config->logs[i].head.name);

		if (file && strcmp(file->path, config->logs[i].follow) == 0)
			file->wanted = true;
	}
	for (size_t i = 0; i < files->n; i++) {
		if (files->list[i].wanted)
			files->list[kept++] = files->list[i];
		else
			file_done(&files->list[i]);
	}
	files->n = kept;
	for (size_t i = 0; i < config->n_logs; i++) {
		if (!find(files, config->logs[i].head.name))
			add(files, &config->logs[i]);
	}
}

/* What a worker before this one has not finished: where it was, then what came after. */
static void hand_over(const struct log_files *files, struct log_file *file,
		      struct ipc_channel *channel)
{
	const struct stats_log *stats = &files->stats->logs[file->slot];
	uint64_t at = stat_get(&stats->file);

	drop_read(files, file);
	for (size_t i = 0; i < file->n; i++) {
		struct log_held held = file->held[i];

		if (held.message.file == at) {
			held.message.offset = stat_get(&stats->position);
			held.message.partial = !begins_line(held.fd, held.message.offset);
		}
		send_held(&held, channel);
	}
}

void log_files_hand_over(struct log_files *files, struct ipc_channel *channel)
{
	for (size_t i = 0; i < files->n; i++)
		hand_over(files, &files->list[i], channel);
	if (!files->n)
		uv_timer_stop(&files->timer);
	else if (!uv_is_active((uv_handle_t *)&files->timer))
		uv_timer_start(&files->timer, on_look, 0, LOOK_MS);
}

void log_files_stop(struct log_files *files)
{
	if (files->open)
		uv_close((uv_handle_t *)&files->timer, NULL);
	files->open = false;
}

void log_files_done(struct log_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		file_done(&files->list[i]);
	/* It may not have come to log_files_init(). */
	if (files->ops && files->notes >= 0)
		close(files->notes);
	files->notes = -1;
	free(files->list);
	files->list = NULL;
	files->n = 0;
}
