// SPDX-License-Identifier: Apache-2.0
/* cli/doctor_page.c - findings as one page of HTML for people who were not there: nothing is
 * fetched, nothing runs, and what was found is text (fault W07). */
#include "cli/doctor.h"
#include "io/clock.h"
#include "mail/header.h"
#include "web/clients.h"

static const char style[] =
    "body{font:16px/1.5 sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;"
    "background:#fff}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-"
    "align:top;padding:.4em .8em;border-bottom:1px solid #ddd}.ok{color:#17632c}.warn{color:#8a5300}"
    ".fail{color:#a3130c;font-weight:bold}";

static struct str text_of(struct json_object *finding, const char *name)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(finding, name, &value) || !value)
        return STR("");
    return str_make(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

static void cell(struct buf *to, struct str text)
{
    (void)buf_add(to, STR("<td>"));
    xml_text(to, text);
    (void)buf_add(to, STR("</td>"));
}

/* The word says it too, not the colour alone. */
static void level_cell(struct buf *to, struct str level)
{
    (void)buf_add(to, STR("<td class=\""));
    xml_text(to, level);
    (void)buf_add(to, STR("\">"));
    xml_text(to, level);
    (void)buf_add(to, STR("</td>"));
}

static void row(struct buf *to, struct json_object *finding)
{
    (void)buf_add(to, STR("<tr>"));
    cell(to, text_of(finding, "check"));
    cell(to, text_of(finding, "about"));
    level_cell(to, text_of(finding, "level"));
    cell(to, text_of(finding, "found"));
    cell(to, text_of(finding, "advice"));
    (void)buf_add(to, STR("</tr>\n"));
}

bool doctor_page(const struct doctor *d, struct buf *to)
{
    char date[DATE_TEXT_MAX];
    struct str host = d->config ? d->config->hostname : STR("");

    (void)buf_add(to, STR("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                          "<meta name=\"viewport\" content=\"width=device-width\">\n"
                          "<title>baton doctor</title>\n<style>"));
    (void)buf_addf(to, "%s</style></head><body>\n<h1>baton doctor: ", style);
    xml_text(to, host.len > 0 ? host : str_of(d->file));
    (void)buf_add(to, STR("</h1>\n<p>Looked at "));
    (void)buf_addf(to, "%s; the worst that was found is <b>%s</b>.</p>\n",
                   date_format_iso(clock_wall_ms(), date), doctor_levels[doctor_worst(d)]);
    (void)buf_add(to, STR("<table><thead><tr><th>Check</th><th>Of</th><th>Level</th><th>Found</th>"
                          "<th>What to do</th></tr></thead><tbody>\n"));
    for (size_t i = 0; i < json_object_array_length(d->findings); i++)
        row(to, json_object_array_get_idx(d->findings, i));
    return buf_add(to, STR("</tbody></table>\n</body></html>\n"));
}
