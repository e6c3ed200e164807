/* Which protocol serves a listener. A wing that adds one adds its line here. */
#include <stddef.h>

#include "data/http/http.h"
#include "data/l4/tcp.h"
#include "data/l4/udp.h"
#include "data/listener.h"

const struct listener_protocol *listener_protocol_of(int conf_protocol)
{
	switch ((enum conf_listener_protocol)conf_protocol) {
	case CONF_LISTENER_TCP:
	case CONF_LISTENER_TLS: /* with a pool chosen by name: sni_arrival.h */
		return &tcp_protocol;
	case CONF_LISTENER_HTTP:
	case CONF_LISTENER_HTTPS:
		return &http_protocol;
	case CONF_LISTENER_UDP:
		return &udp_protocol;
	case CONF_LISTENER_POSTGRES:
	case CONF_LISTENER_DNS:
		break;
	}
	return NULL;
}
