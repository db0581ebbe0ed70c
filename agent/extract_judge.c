#include "agent/extract_judge.h"

#include <errno.h>

static int judge_range(const struct extract_options *o, const struct extract_words *words,
		       struct err *err)
{
	const struct pattern_conf *conf = &words->conf;

	if (!conf->begin && conf->end)
		return err_set(err, -EINVAL, "--end is of a range, which begins at --begin REGEX");
	if (!conf->end && conf->begin && conf->range.open_end == RANGE_DROP)
		return err_set(err, -EINVAL, "--open-end drop drops all of a range without --end");
	if (!conf->begin)
		return words->range_words ? err_set(err, -EINVAL,
						    "there is no range: --begin REGEX and "
						    "--end REGEX")
					  : 0;
	if (o->names.n)
		return err_set(err, -EINVAL, "--pattern and --begin exclude each other");
	if (o->whole || words->separator)
		return err_set(err, -EINVAL,
			       "ranges are of lines, and with -U or --rs there are none");
	return 0;
}

int extract_judge(const struct extract_options *o, const struct extract_words *words,
		  struct err *err)
{
	if (o->names.n && words->n)
		return err_set(err, -EINVAL,
			       "--pattern takes rules of a file, -e and -f give them "
			       "here: one of the two");
	if (o->config && !o->names.n)
		return err_set(err, -EINVAL, "-c FILE without --pattern NAME says no pattern");
	if (!o->names.n && !words->n && words->empty)
		return err_set(err, -EINVAL, "no pattern: %s is empty", words->empty);
	if (o->whole && words->separator)
		return err_set(err, -EINVAL, "-U takes a text as one, and --rs splits it");
	if (!o->names.n && !words->n && !words->conf.begin && !words->conf.end &&
	    !words->separator && !o->out)
		return err_set(
			err, -EINVAL,
			"no pattern: -e REGEX, -f FILE, --begin REGEX --end REGEX or -c FILE "
			"--pattern NAME; or -w FILE for all frames");
	if (!words->n && (o->has_template || words->conf.groups.n) && !o->names.n)
		return err_set(err, -EINVAL,
			       "-g and --template are of a match, and there is no -e");
	if (o->has_template && words->conf.groups.n)
		return err_set(err, -EINVAL, "-g and --template both say what is printed");
	if (o->text && (o->has_scope || o->bpf || o->out || o->live))
		return err_set(
			err, -EINVAL,
			"--scope, --bpf, -w and --live are of captures, and with --text there "
			"is none");
	if (o->names_on && o->names_off)
		return err_set(err, -EINVAL, "-H and -h exclude each other");
	return judge_range(o, words, err);
}
