#pragma once
/* Shell: why a handshake failed, in a word for the counters and a sentence for people. */
#include <stdbool.h>

#define TLS_FAULT_TEXT 160

struct tls_fault {
	unsigned cell; /* BOARD_LISTENER_TLS_… */
	bool is_plain_http;
	char why[TLS_FAULT_TEXT]; /* one line, nothing of the client's own */
};

/* After tls_session_handshake() has returned rc; empties the error queue. */
struct tls_fault tls_fault_of(int rc);
