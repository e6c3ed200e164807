/* See h1_fault.h. One table; nothing else may know a status for a fault. */
#include "data/http/h1_fault.h"

#include <assert.h>

// clang-format off
static const struct {
	int status;
	const char *name;
} faults[H1_FAULTS] = {
	[H1_FAULT_NONE] = {500, "none"},
	[H1_FAULT_BARE_CR] = {400, "bare-cr"},
	[H1_FAULT_BARE_LF] = {400, "bare-lf"},
	[H1_FAULT_CONTROL] = {400, "control-character"},
	[H1_FAULT_FOLD] = {400, "folded-field"},
	[H1_FAULT_SPACE_BEFORE_COLON] = {400, "space-before-colon"},
	[H1_FAULT_FIELD_NAME] = {400, "field-name"},
	[H1_FAULT_NO_COLON] = {400, "field-without-colon"},
	[H1_FAULT_METHOD] = {400, "method"},
	[H1_FAULT_METHOD_TOO_LONG] = {501, "method-too-long"},
	[H1_FAULT_CONNECT] = {501, "connect-method"},
	[H1_FAULT_TARGET] = {400, "target"},
	[H1_FAULT_TARGET_TOO_LONG] = {414, "target-too-long"},
	[H1_FAULT_REQUEST_LINE] = {400, "request-line"},
	[H1_FAULT_VERSION] = {400, "version"},
	[H1_FAULT_VERSION_UNKNOWN] = {505, "version-unknown"},
	[H1_FAULT_STATUS_LINE] = {400, "status-line"},
	[H1_FAULT_HEAD_TOO_LARGE] = {431, "head-too-large"},
	[H1_FAULT_TOO_MANY_FIELDS] = {431, "too-many-fields"},
	[H1_FAULT_HOST_MISSING] = {400, "host-missing"},
	[H1_FAULT_HOST_TWICE] = {400, "host-twice"},
	[H1_FAULT_HOST] = {400, "host"},
	[H1_FAULT_LENGTH] = {400, "content-length"},
	[H1_FAULT_LENGTH_TWICE] = {400, "content-length-twice"},
	[H1_FAULT_LENGTH_AND_ENCODING] = {400, "length-and-encoding"},
	[H1_FAULT_ENCODING] = {400, "transfer-encoding"},
	[H1_FAULT_ENCODING_UNKNOWN] = {501, "transfer-encoding-unknown"},
	[H1_FAULT_ENCODING_IN_1_0] = {400, "transfer-encoding-in-1.0"},
	[H1_FAULT_CONNECTION] = {400, "connection-too-long"},
	[H1_FAULT_EXPECT] = {417, "expect"},
	[H1_FAULT_CHUNK_SIZE] = {400, "chunk-size"},
	[H1_FAULT_CHUNK_EXTENSION] = {400, "chunk-extension"},
	[H1_FAULT_CHUNK_END] = {400, "chunk-end"},
	[H1_FAULT_TRAILER] = {400, "trailer"},
	[H1_FAULT_TRAILER_TOO_LARGE] = {431, "trailer-too-large"},
	[H1_FAULT_PSEUDO] = {400, "pseudo-header"},
	[H1_FAULT_CONNECTION_FIELD] = {400, "connection-field"},
	/* These end a connection of HTTP/2: nobody is answered. */
	[H1_FAULT_H2_PROTOCOL] = {0, "protocol-error"},
	[H1_FAULT_FLOOD_HEADERS] = {0, "flood-of-headers"},
	[H1_FAULT_FLOOD_CONTINUATIONS] = {0, "flood-of-continuations"},
	[H1_FAULT_FLOOD_RESETS] = {0, "flood-of-resets"},
	[H1_FAULT_FLOOD_PINGS] = {0, "flood-of-pings"},
	[H1_FAULT_FLOOD_SETTINGS] = {0, "flood-of-settings"},
	[H1_FAULT_FLOOD_EMPTY] = {0, "flood-of-empty-data"},
};
// clang-format on

int h1_fault_status(enum h1_fault fault)
{
	assert(fault < H1_FAULTS);
	return faults[fault].status;
}

const char *h1_fault_name(enum h1_fault fault)
{
	assert(fault < H1_FAULTS);
	return faults[fault].name;
}
