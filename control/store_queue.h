#pragma once
/* Between the calls (store_call.c) and the queue (store.c). */
#include "control/store_job.h"

/* Takes the job (not NULL) and answers the call in its time. */
void store_queue(struct store *s, struct store_job *job, const struct store_call *call);
