#include "capture/sift_record.h"

void sift_record_alert(const struct sift_match *match, struct record_alert *ret)
{
	*ret = (struct record_alert){
		.frame = match->frame,
		.has_direction = match->direction != SIFT_NOBODY_KNOWS,
		.direction = match->direction == SIFT_FROM_GUEST ? STATS_FROM_GUEST
								 : STATS_TO_GUEST,
		.frame_number = match->number,
		.subject = match->hit->subject,
		.base = match->hit->offset,
		.stream = match->stream,
		.gap = match->gap,
		.spans = match->spans,
		.n_spans = match->n_spans,
		.blocked = match->link->judged && match->rule->conf->action != ACTION_LOG,
		.rule = match->rule->conf->head.name,
		.signature_id = match->rule->signature_id,
		.category = match->rule->conf->category,
		.severity = match->rule->conf->severity,
		.pattern = match->rule->pattern,
		.match = match->hit->match,
	};
}

void sift_record_gap(const struct sift_loss *loss, struct record_gap *ret)
{
	*ret = (struct record_gap){
		.lost = loss->bytes,
		.unit = RECORD_UNIT_BYTES,
		.reason = loss->why,
		.frame = loss->frame,
		.rule = loss->rule ? loss->rule->conf->head.name : NULL,
		.offset = loss->offset,
	};
}
