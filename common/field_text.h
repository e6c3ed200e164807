#pragma once
/* What counts as a well-formed text of each type of field. Pure; private to field. */
#include <stdbool.h>

bool field_text_is_any(const char *text);
bool field_text_is_line(const char *text); /* not empty, no control characters */
bool field_text_is_host(const char *text); /* an IP address or a host name (RFC 1123, and _) */
bool field_text_is_host_port(const char *text);
bool field_text_is_interface(const char *text);
bool field_text_is_path(const char *text);   /* absolute */
bool field_text_is_target(const char *text); /* RFC 9112 origin-form: "/…", visible ASCII only */
bool field_text_is_token(const char *text);  /* RFC 9110 section 5.6.2 */
