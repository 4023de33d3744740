// SPDX-License-Identifier: Apache-2.0
/* vault/live.c - the gate to the outside: an operator opens it when all is ready, and may close it
 * again. */
#include "vault/operate.h"

static bool write_live(struct control *c, void *arg, struct err *err)
{
    return control_write_flag(c, "live", *(const bool *)arg, err);
}

static bool set_live(struct vault *v, const struct request *r, bool live, struct err *err)
{
    const struct change change =
        change_by(r, live ? "gate-opened" : "gate-closed", STR(""), STR(""));

    if (!live && v->config->gate == GATE_OPEN)
        return err_set(err, ERR_EXISTS, "the configuration holds the gate open (sandbox.gate)");
    if (!operate_change(v, &change, write_live, &live, err))
        return err_at(err, "gate");
    if (r->dry_run)
        return true;
    v->live = live;
    vault_send_gate(v);
    return true;
}

bool live_open(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    (void)ret_next;
    return set_live(v, r, true, err);
}

bool live_close(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    (void)ret_next;
    return set_live(v, r, false, err);
}
