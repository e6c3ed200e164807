#pragma once
/* Shell: asks the kernel that vrrpd runs when it must, whatever else the node is busy with. */

/*
 * Asks for a better nice value, for the threads started later too, and keeps
 * our pages in memory. What is not permitted is logged once and done without.
 */
void precedence_request(void);
