#pragma once
/*
 * Shell: a client with a socket of its own: HTTP/1, one exchange after the other. Receives, sends
 * and polls; what it means is client.h. The first bytes of a connection may say that it is HTTP/2.
 */
struct addr;
struct arrival;
struct client;
struct http;
struct socket;

/* A connection was accepted: takes its socket. */
void client_socket_open(struct http *h, const struct arrival *a);
/* One that its listener does not know yet: NULL without memory, and s is still the caller's. */
struct client *client_socket_new(struct http *h, struct socket *s, const struct addr *peer);
