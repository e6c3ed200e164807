#pragma once
/*
 * Shell: the stage of an arriving connection that looks at the name a TLS client
 * asks for and chooses its pool by it (tls listeners: TLS is passed through, not
 * ended). The hello is only looked at: the server gets it from its first byte.
 */
#include "data/arrival.h"

extern const struct arrival_stage sni_arrival;
