#pragma once
/*
 * Shell: the VIPs' rows as they were told last, kept in run_dir so that a
 * successor goes on telling the same story: since when, and what came before.
 * Only for people; what decides is the ownership record. Written off the loop.
 */
#include <uv.h>

#include "common/report.h"

struct past;

/* 0 and what run_dir/vrrpd.past holds (nothing when it is absent or damaged), or -ENOMEM. The loop
 * is kept. */
int past_open(uv_loop_t *loop, const char *run_dir, struct past **ret);
/* Frees p when nothing is being written any more; the last rows may not have been. NULL is fine. */
void past_close(struct past *p);

/* The row that a predecessor told of that VIP: 0 or -ENOENT. */
int past_recall(const struct past *p, const char *vip, struct report_vip *ret);
/* Keeps a VIP's row, or forgets it (NULL). */
void past_note(struct past *p, const char *vip, const struct report_vip *report);
