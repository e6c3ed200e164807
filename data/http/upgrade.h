#pragma once
/*
 * Shell: an exchange that became a tunnel (101 Switching Protocols, RFC 9110
 * section 7.8): both sockets and what was received of them go to l4/tunnel.h,
 * and the exchange waits for its end.
 */
struct client;
struct handover_parts;
struct handover_record;

/* Passes the 101 in response.in on and joins the sockets. */
void upgrade_open(struct client *c);
/* The tunnel of a client that came from another worker; takes all of parts. */
void upgrade_resume(
	struct client *c, const struct handover_record *r, struct handover_parts *parts);
