/* A person hears at a login that their certificate ends soon: behind its end the vault lets nobody
 * in with it. */
#ifndef US_CLIENT_CORE_CERTIFICATE_END_H
#define US_CLIENT_CORE_CERTIFICATE_END_H

struct us_client;

/* Says so, once a run, within thirty days of the end. */
void us_certificate_end_tell(struct us_client *client);

#endif
