/* key.c - see key.h. */
#include "client/ctl/key.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "keys/keystore.h"

static const struct output_column columns[] = {
    {"name", "NAME", NULL, OUTPUT_TEXT, false},
    {"secret_file", "SECRET", NULL, OUTPUT_TEXT, false},
    {"public_file", "PUBLIC", NULL, OUTPUT_TEXT, false},
    {"public_key", "PUBLIC KEY", NULL, OUTPUT_TEXT, false},
};

static const struct output_view view = {
    .columns = columns,
    .columns_count = sizeof columns / sizeof columns[0],
    .footer = "SECRET stays here, readable for its owner alone; PUBLIC goes to those who are to "
              "know it.",
};

static int write_result(const struct ctl *ctl, const struct keyfile *keyfile, const char *folder)
{
    char path[KEYSTORE_PATH_BYTES + 16];
    bool is_here = strcmp(folder, ".") == 0;
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "name", keyfile->name);
    cJSON_AddStringToObject(document, "public_key", keyfile->public_key);
    (void)snprintf(path, sizeof path, "%s%s%s.key", is_here ? "" : folder, is_here ? "" : "/",
                   keyfile->name);
    cJSON_AddStringToObject(document, "public_file", path);
    (void)snprintf(path, sizeof path, "%s%s%s.key_secret", is_here ? "" : folder,
                   is_here ? "" : "/", keyfile->name);
    cJSON_AddStringToObject(document, "secret_file", path);
    bool is_written = document != NULL && output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}

int key_new(struct ctl *ctl)
{
    const char *name = ctl->words[0];
    const char *roles = ctl_flag(ctl, FLAG_ROLES), *folder = ctl_flag(ctl, FLAG_FOLDER);
    struct keyfile keyfile = {.public_key = ""};
    char why[KEYSTORE_WHY_BYTES];
    folder = folder == NULL ? "." : folder;
    if (!keyfile_is_name(span_text(name)))
        return problems_usage("'%s' is no name of a key: 1 to 128 bytes without blanks, quotes, "
                              "commas and slashes, not beginning with a dot",
                              name);
    if (roles != NULL && !keyfile_is_roles(span_text(roles)))
        return problems_usage("--roles takes roles by comma, at most %d bytes, not '%s'",
                              KEYFILE_ROLES_BYTES - 1, roles);
    (void)snprintf(keyfile.name, sizeof keyfile.name, "%s", name);
    (void)snprintf(keyfile.roles, sizeof keyfile.roles, "%s", roles == NULL ? "" : roles);
    int code = keystore_create(&keyfile, folder, why)
                   ? write_result(ctl, &keyfile, folder)
                   : problems_report("INVALID_ARGUMENT", "%s", why);
    keyfile_wipe(&keyfile, sizeof keyfile);
    return code;
}
