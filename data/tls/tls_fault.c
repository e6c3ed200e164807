/* See tls_fault.h. */
#include "data/tls/tls_fault.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "data/board.h"

/* Reasons that have a counter of their own; others are BOARD_LISTENER_TLS_MALFORMED. */
static const struct {
	int reason;
	unsigned cell;
} cells[] = {
	{SSL_R_NO_SHARED_CIPHER, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_UNSUPPORTED_PROTOCOL, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_VERSION_TOO_LOW, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_NO_SHARED_GROUPS, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_NO_SUITABLE_KEY_SHARE, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_NO_SUITABLE_GROUPS, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_NO_APPLICATION_PROTOCOL, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_INAPPROPRIATE_FALLBACK, BOARD_LISTENER_TLS_NO_AGREEMENT},
	{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, BOARD_LISTENER_TLS_CLIENT_CERTIFICATE},
	{SSL_R_CERTIFICATE_VERIFY_FAILED, BOARD_LISTENER_TLS_CLIENT_CERTIFICATE},
};

static unsigned cell_of(int reason)
{
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		if (cells[i].reason == reason)
			return cells[i].cell;
	/* What the client's alert says: it does not like our certificate, or what we offer. */
	if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
		return BOARD_LISTENER_TLS_REFUSED_BY_CLIENT;
	return BOARD_LISTENER_TLS_MALFORMED;
}

struct tls_fault tls_fault_of(int rc)
{
	struct tls_fault f = {.cell = BOARD_LISTENER_TLS_ABORTED};
	unsigned long error = ERR_peek_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	ERR_clear_error();
	if (rc == -ENOMEM) {
		f.cell = BOARD_LISTENER_INTERNAL;
		snprintf(f.why, sizeof f.why, "out of memory");
	} else if (rc != -EPROTO) {
		snprintf(f.why, sizeof f.why, "the client left: %s", strerror(-rc));
	} else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_HTTP_REQUEST) {
		f.cell = BOARD_LISTENER_TLS_MALFORMED;
		f.is_plain_http = true;
		snprintf(f.why, sizeof f.why, "it speaks plain HTTP");
	} else {
		f.cell = ERR_GET_LIB(error) == ERR_LIB_SSL ? cell_of(reason)
							   : BOARD_LISTENER_TLS_MALFORMED;
		snprintf(f.why, sizeof f.why, "%s", text ? text : "it does not speak TLS");
	}
	return f;
}
