// SPDX-License-Identifier: Apache-2.0
/* base/list.h - a ring of members that carry their own links. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline void list_add_before(struct list *at, struct list *item)
{
    item->prev = at->prev;
    item->next = at;
    at->prev->next = item;
    at->prev = item;
}
/* At the end of the list whose head is `head`. */
static inline void list_append(struct list *head, struct list *item)
{
    list_add_before(head, item);
}
static inline void list_prepend(struct list *head, struct list *item)
{
    list_add_before(head->next, item);
}
/* Leaves the item a list of its own, so that removing twice is harmless. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}
/* The first member, or NULL. */
#define LIST_FIRST(head, type, member) \
    (list_empty(head) ? NULL : CONTAINER_OF((head)->next, type, member))
/* Safe while the member at hand is removed. */
#define LIST_EACH(head, type, it, member)                                \
    for (type *it = CONTAINER_OF((head)->next, type, member),            \
              *it##_next_ = CONTAINER_OF(it->member.next, type, member); \
         &it->member != (head);                                          \
         it = it##_next_, it##_next_ = CONTAINER_OF(it->member.next, type, member))
