/* Listening sockets, and whether an address can be had before anything relies on it. */
#ifndef US_DAEMON_PROCESS_LISTEN_H
#define US_DAEMON_PROCESS_LISTEN_H

/* A listening socket on ADDR:PORT (or [ADDR]:PORT) that shares its port with its siblings. Fatal on
 * failure, with what to do about it. */
int us_listen_socket(const char *address);
/* Fatal if address is not a numeric ADDR:PORT, or if anybody listens there already; remedy is said
 * in parentheses in the latter case. What else is in the way is for us_listen_socket() to find. */
void us_listen_check(const char *address, const char *remedy);

#endif
