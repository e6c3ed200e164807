#pragma once
/* Shell: asks the kernel that vrrpd runs when it must, whatever else the node is busy with. */

/*
 * Asks for round-robin real-time scheduling (else a better nice value) for the
 * calling thread, not for threads and children it starts, and keeps our pages
 * in memory. What is not permitted is logged once and done without.
 */
void realtime_request(void);
