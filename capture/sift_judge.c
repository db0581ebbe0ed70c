#include "capture/sift_judge.h"

#include <netinet/tcp.h>
#include <string.h>

#include "capture/condemned.h"
#include "capture/tcp_sum.h"

static bool is_strict(const struct rule *rule)
{
	return rule->conf->action != ACTION_LOG && rule->conf->on_error == ON_ERROR_DROP;
}

void judge_link(struct sift_link *link, const struct ruleset *rules, const struct rule_mask *mask,
		bool in_path)
{
	for (size_t i = 0; in_path && i < rules->n; i++) {
		if (!mask_has(mask, i) || rules->rules[i].conf->action == ACTION_LOG)
			continue;
		link->judged = true;
		link->strict |= is_strict(&rules->rules[i]);
	}
}

void judge_begin(struct sift *sift)
{
	sift->judgement = (struct sift_judgement){ .verdict = ACTION_LOG };
}

static void raise_to(struct sift *sift, enum pattern_action verdict, const struct rule *rule)
{
	struct sift_judgement *j = &sift->judgement;

	if (verdict <= j->verdict)
		return;
	j->verdict = verdict;
	j->rule = rule;
}

static void condemn(struct sift *sift, uint64_t key)
{
	/* The next worker goes on with what this one gives up. */
	if (sift->ending)
		return;
	condemned_add(sift->conf.condemned, key,
		      sift->input ? sift->input->time_ns : sift->streams.now_ns);
}

static void condemn_flow(struct sift *sift, const struct flow *flow)
{
	condemn(sift, condemned_key(sift->conf.condemned, &flow->key));
}

static bool is_condemned(struct sift *sift, uint64_t key)
{
	if (!condemned_has(sift->conf.condemned, key, sift->input->time_ns))
		return false;
	raise_to(sift, ACTION_DROP, NULL);
	return true;
}

/* Its receiver would not take it: what it says would be taken for a part of what others say. */
static void refuse(struct sift *sift)
{
	raise_to(sift, ACTION_DROP, NULL);
	sift->judgement.failed = true;
}

bool judge_admits_packet(struct sift *sift)
{
	if (ip_sum_is_right(&sift->frame))
		return true;
	refuse(sift);
	return false;
}

bool judge_admits_fragment(struct sift *sift)
{
	struct sift_judgement *j = &sift->judgement;

	j->fragment =
		condemned_fragment_key(sift->conf.condemned, &sift->frame, sift->input->link->id);
	return !is_condemned(sift, j->fragment);
}

bool judge_admits_segment(struct sift *sift)
{
	struct sift_judgement *j = &sift->judgement;
	struct stats_condemned *condemned = sift->conf.condemned;
	unsigned int end = flow_key_of(&sift->frame, sift->input->link->id, &j->flow);

	j->segment = condemned_key(condemned, &j->flow);
	if (condemned_has(condemned, j->segment, sift->input->time_ns) &&
	    !condemned_opens(condemned, j->segment, &sift->frame, end,
			     sift->input->direction == SIFT_FROM_GUEST)) {
		raise_to(sift, ACTION_DROP, NULL);
		return false;
	}
	/*
	 * Receivers take an urgent byte out of the stream, or do not (RFC 6093): nobody knows what
	 * they read.
	 */
	if (sift->input->link->n_stream && (sift->frame.tcp_flags & TH_URG)) {
		judge_failure(sift, NULL);
		if (j->verdict != ACTION_LOG)
			return false;
	}
	if (!sift->input->link->n_stream || tcp_sum_is_right(&sift->frame))
		return true;
	refuse(sift);
	return false;
}

void judge_match(struct sift *sift, const struct sift_link *link, const struct flow *flow,
		 const struct rule *rule)
{
	if (!link->judged || rule->conf->action == ACTION_LOG)
		return;
	if (flow)
		condemn_flow(sift, flow);
	if (sift->input)
		raise_to(sift, rule->conf->action, rule);
}

void judge_failure(struct sift *sift, const struct rule *rule)
{
	struct sift_judgement *j = &sift->judgement;
	bool strict = rule ? is_strict(rule) : sift->input && sift->input->link->strict;

	if (!sift->input || !sift->input->link->judged ||
	    (rule && rule->conf->action == ACTION_LOG))
		return;
	j->failed = true;
	if (strict)
		raise_to(sift, ACTION_DROP, NULL);
}

void judge_stream_failure(struct sift *sift, const struct sift_link *link, const struct flow *flow,
			  const struct rule *rule)
{
	bool strict = rule ? is_strict(rule) : link->strict;

	if (!link->judged)
		return;
	if (strict)
		condemn_flow(sift, flow);
	judge_failure(sift, rule);
}

void judge_lost(struct sift *sift, const struct sift_link *link, const struct flow_key *flow)
{
	if (link->judged && link->strict)
		condemn(sift, condemned_key(sift->conf.condemned, flow));
}

void judge_lost_flow(struct sift *sift, const struct flow *flow, bool reused)
{
	const uint64_t key = condemned_key(sift->conf.condemned, &flow->key);
	struct flow_key sent;

	condemn(sift, key);
	if (reused && sift->input)
		(void)condemned_opens(sift->conf.condemned, key, &sift->frame,
				      flow_key_of(&sift->frame, flow->key.link, &sent),
				      sift->input->direction == SIFT_FROM_GUEST);
}

/* Of what is met in the middle, what was before may have been seen, and is not known any more. */
static bool forgot(const struct sift *sift)
{
	return sift->input->link->lost || stat_get(&sift->conf.condemned->evicted);
}

void judge_counts(struct sift *sift, const struct stream_counts *before)
{
	const struct stream_counts *now = &sift->streams.counts;

	if (now->refused != before->refused || now->dropped != before->dropped ||
	    now->odd != before->odd || now->unknown != before->unknown ||
	    now->conflicts != before->conflicts)
		judge_failure(sift, NULL);
	if (now->midway == before->midway || !forgot(sift))
		return;
	judge_failure(sift, NULL);
	if (sift->input->link->strict)
		condemn(sift, sift->judgement.segment);
}

void judge_fragment(struct sift *sift, const struct defrag_counts *before)
{
	const struct defrag_counts *now = &sift->defrag.counts;

	/* Which of two copies is read differs among receivers. */
	if (sift->input->link->judged && (now->conflicts != before->conflicts ||
					  (now->headless != before->headless && forgot(sift))))
		judge_failure(sift, NULL);
}

void judge_incomplete(struct sift *sift, const struct sift_link *link, const struct frame *frame)
{
	if (link->judged && link->strict)
		condemn(sift, condemned_fragment_key(sift->conf.condemned, frame, link->id));
}

void judge_end(struct sift *sift, struct sift_result *result)
{
	struct sift_judgement *j = &sift->judgement;

	if (result->reason != DECODE_OK)
		judge_failure(sift, NULL);
	result->verdict = j->verdict;
	result->failed = j->failed;
	if (j->verdict == ACTION_LOG)
		return;
	if (j->rule)
		stat_add(&sift->conf.stats[j->rule - sift->conf.rules->rules].dropped, 1);
	/* A segment that cannot be searched now is welcome again; a match is one for ever. */
	if (j->rule && j->segment)
		condemn(sift, j->segment);
	/* What the stream holds is of no use any more. */
	if (j->segment && is_condemned(sift, j->segment))
		streams_end_flow(&sift->streams, &j->flow);
	if (j->fragment)
		condemn(sift, j->fragment);
}
