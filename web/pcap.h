/* Kept frames as a pcapng file, picked while the capture worker goes on to write it. Edge. */
#ifndef TW_PCAP_H
#define TW_PCAP_H

#include "web/api.h"

/*
 * Answers with the frames that the parameters link, rule and packet of the request pick, up to what
 * is written by now; 404 when no frames are kept.
 */
void pcap_serve(struct api *api, uv_loop_t *loop, struct http_request *request);

#endif
