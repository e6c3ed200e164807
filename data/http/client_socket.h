#pragma once
/*
 * Shell: a client with a socket of its own: HTTP/1, one exchange after the other. Receives, sends
 * and polls; what it means is client.h. The first bytes of a connection may say that it is HTTP/2.
 */
struct arrival;
struct http;

/* A connection was accepted: takes its socket. */
void client_socket_open(struct http *h, const struct arrival *a);
