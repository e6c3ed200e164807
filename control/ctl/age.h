#pragma once
/* How long ago something was, as people read it: "3m12s". Pure. */
#include "common/clock.h"

#define AGE_TEXT_SIZE 32

/* "0s", "45s", "3m12s", "2h5m", "3d4h": the two largest units; a date to come is "0s". Returns
 * text. */
const char *age_print(struct wall since, struct wall now, char text[AGE_TEXT_SIZE]);
/* The same of an RFC 3339 date; "-" for NULL, or for what is no date. */
const char *age_print_date(const char *date, struct wall now, char text[AGE_TEXT_SIZE]);
