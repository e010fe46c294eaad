/* SPDX-License-Identifier: MIT
 *
 * Stream sockets between ranks: whole messages, deadlines, one clear line when it fails.
 */
#ifndef LW_DIST_NET_H
#define LW_DIST_NET_H

#include <stddef.h>

#include "engine/base/error.h"

/* Listen for ranks. host: an address of this machine; one that leads to the machine alone
 * (127.0.0.1) is listened on alone, else all are. *port 0: any that is free, filled in. Returns the
 * descriptor. */
int lw_net_listen(const char *host, int *port, struct lw_error *err);

/* The next connection, or LW_EIO once the monotonic deadline is past. */
int lw_net_accept(int listener, double deadline, struct lw_error *err);

/* Connect, again and again until the deadline while nobody answers there. */
int lw_net_connect(const char *host, int port, double deadline, struct lw_error *err);

/* The whole of a message, as long as it takes. LW_EPEER: the other end is gone. */
LW_NODISCARD int lw_net_send(int fd, const void *data, size_t bytes, struct lw_error *err);
LW_NODISCARD int lw_net_receive(int fd, void *data, size_t bytes, struct lw_error *err);

/* From now on a message that does not get on for so long is LW_EPEER; 0: wait forever. */
void lw_net_patience(int fd, double seconds);

#endif
