#pragma once
/*
 * Shell: a process that holds private keys leaves none of them in a core dump:
 * from now on it, and what it starts, dumps no memory but its ELF headers (the
 * signal, the registers and the map of memory are still told). Keys lie all
 * over the heap, in the document, in OpenSSL, so nothing finer would hold.
 */
void secrecy_begin(void);
