#pragma once
/*
 * Shell: an OCSP response (RFC 6960) in a file that somebody else keeps fresh
 * (certbot, a cron job). What cannot be read, is no good answer or has expired
 * is not taken: then nothing is stapled, and clients ask for themselves.
 */
#include <stddef.h>
#include <time.h>

#define TLS_OCSP_MAX 65536 /* bytes */

/*
 * Reads the file if its time of change is not *changed (which is set): 0 and the response,
 * owned, with the end of its validity; 1: as before; else a negative errno, logged when new.
 */
int tls_ocsp_read(const char *path, struct timespec *changed, unsigned char **ret, size_t *ret_len,
	time_t *ret_until);
