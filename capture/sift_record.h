/* Matches and losses of a sift as records tell them. Pure. */
#ifndef TW_SIFT_RECORD_H
#define TW_SIFT_RECORD_H

#include "capture/record.h"
#include "capture/sift.h"

/*
 * What the match says by itself. Which file it is of, how much payload a record may have and
 * whether an earlier one has it are the caller's to add. Valid as long as the match is.
 */
void sift_record_alert(const struct sift_match *match, struct record_alert *ret);
void sift_record_gap(const struct sift_loss *loss, struct record_gap *ret);

#endif
