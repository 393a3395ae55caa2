/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OUTPUT.checkpoint: an unfinished training, to be gone on with. It holds the whole state, so that a resumed run does exactly what it would have
 * done; it is removed when training ends. */
#ifndef SDN_LEARN_CHECKPOINT_H
#define SDN_LEARN_CHECKPOINT_H

#include "learn/trainer.h"

/* config: lines "name=value\n" that must be the same when training goes on. */
sdn_status sdn_checkpoint_write(const char *path, const char *config, const sdn_trainer *t, sdn_err *err);
/* err SDN_USAGE: the checkpoint is of another configuration (the first difference is named); SDN_FORMAT: corrupt. */
sdn_status sdn_checkpoint_read(const char *path, const char *config, sdn_trainer *t, sdn_err *err);

/* Are two configurations the same? path: whose file `have` stands in. err SDN_USAGE: the first line that differs. */
sdn_status sdn_compare_config(const char *path, const char *have, const char *want, sdn_err *err);

#endif
