#pragma once
/* Shell: what TLS is to us, whichever side we are: versions, ciphers, groups, and how OpenSSL uses memory. */
#include <openssl/ssl.h>

/* least: TLS1_2_VERSION or TLS1_3_VERSION. 0, or -ENOMEM: this OpenSSL lacks something of it. */
int tls_suite_set(SSL_CTX *ctx, int least);
