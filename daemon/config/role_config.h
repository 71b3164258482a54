/*
 * The config worker: reads the configuration text for the parent, inside its jail, hands over what it means and ends.
 */
#ifndef ROLE_CONFIG_H
#define ROLE_CONFIG_H

#include "log.h"
#include "protos.h"

/* Exit status of the worker, and of a daemon that could not start because of its configuration. */
enum config_exit { CONFIG_GOOD = 0, CONFIG_BAD = 1, CONFIG_IS_DIR = 2 };

/* Body of `ctd-worker config': enters the jail, then config_serve(). Still root when called. log is for trouble with
 * the jail; what is to be said about the configuration goes to standard error. Returns enum config_exit. */
int config_role(int wall_fd, struct log *log);

/* The part inside the jail: takes MSG_CONF_TEXT (payload: path of the file, for messages only) and answers as its arg
 * (enum conf_use) asks: MSG_SETUP with mem_fd (of blob_memfd()), or settings on out_fd, or nothing. */
struct config_tools {
	int wall_fd, mem_fd, out_fd;
	const struct protos *protos;
	struct log *console;
};
int config_serve(const struct config_tools *t);

#endif
