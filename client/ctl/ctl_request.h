/* ctl_request.h - `req`: asks, once.
 * Memory: none kept. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_REQUEST_H
#define WEFT_CLIENT_CTL_CTL_REQUEST_H

#include "client/ctl/ctl.h"

/* Sends the request and prints the response; with --wait, again while nobody serves the path. */
int ctl_request_req(struct ctl *ctl);

/* The value that an argument means with --type; "-" is standard input. *memory is to be freed.
 * Returns CTL_COMPLETE, or CTL_USAGE after having said why. */
int ctl_request_value(const struct ctl *ctl, const char *text, struct weft_value *value,
                      char **memory);

#endif
