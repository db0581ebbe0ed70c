#include "agent/extract_captures.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/bpf_compile.h"

/* Without a configuration: whoever runs the verb has more to give than a guest has to take. */
static const struct stream_options streams = {
	.memory = 256u << 20,
	.pending = 1u << 20,
	.fragments = 4u << 20,
};

/* A mistake in it is found before anything is searched. */
static int check_filter(const char *bpf, struct err *err)
{
	struct bpf_code code = { 0 };
	int error = bpf ? bpf_compile(bpf, &code, err) : 0;

	bpf_code_done(&code);
	return error ? err_prefix(err, error, "--bpf") : 0;
}

int extract_captures_init(struct extract_captures *captures, const struct extract_options *options,
			  struct pattern_conf *confs, size_t n, const struct config *config,
			  struct err *err)
{
	struct capture_conf conf = {
		.patterns = confs,
		.n_patterns = n,
		.policy = &options->policy,
		.stream = config ? config->stream : streams,
		.host = captures->host,
		.bpf = options->bpf,
		.file = options->out ? &captures->file : NULL,
	};
	int code = check_filter(options->bpf, err);

	if (!code && options->out && strcmp(options->out, PCAPNG_FILE_STDOUT) == 0 &&
	    options->show != EXTRACT_QUIET && (n || options->show == EXTRACT_COUNT))
		code = err_set(err, -EINVAL,
			       "-w -: what matches is printed there, too: give -q or a FILE");
	captures->writes = false;
	if (code)
		return code;
	if (gethostname(captures->host, sizeof(captures->host) - 1))
		captures->host[0] = '\0';
	captures->host[sizeof(captures->host) - 1] = '\0';
	if (options->out) {
		code = pcapng_file_open(&captures->file, options->out, options->files,
					options->n_files, captures->host, err);
		if (code)
			return code;
		captures->writes = true;
	}
	for (size_t i = 0; i < n && options->has_scope; i++)
		confs[i].scope = options->scope;
	capture_search_init(&captures->search, &conf);
	return 0;
}

int extract_captures_done(struct extract_captures *captures)
{
	capture_search_done(&captures->search);
	return captures->writes ? pcapng_file_close(&captures->file) : 0;
}
