/* keyfile.c - see keyfile.h. Of ZPL, the format of czmq's zconfig, this much is read: sections at
 * the margin, indented NAME = VALUE with or without quotes, comments that begin with #. Other
 * sections and names are somebody else's and are left alone. */
#include "keys/keyfile.h"

#define SECRET_HEAD                                                                                \
    "#   ZeroMQ CURVE **Secret** Certificate\n"                                                    \
    "#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.\n"
#define PUBLIC_HEAD                                                                                \
    "#   ZeroMQ CURVE Public Certificate\n"                                                        \
    "#   Exchange securely, or use a secure mechanism to verify the contents of this file.\n"

enum section { SECTION_NONE, SECTION_METADATA, SECTION_CURVE };

struct parsing {
    struct keyfile *keyfile;
    enum section section;
    enum keyfile_verdict verdict;
};

static bool is_z85(uint8_t c)
{
    static const char others[] = ".-:+=^!/*?&<>()[]{}@%$#";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr(others, c) != NULL);
}

/* The pairs of zmq_curve(7), public and secret: whoever has read the manual has these keys. */
static bool is_test_key(struct span key)
{
    static const char *const known[] = {
        "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
        "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (span_equal(key, span_text(known[i])))
            return true;
    }
    return false;
}

enum keyfile_verdict keyfile_key_judge(struct span key)
{
    if (key.bytes != KEYFILE_KEY_CHARACTERS)
        return KEYFILE_BAD_KEY;
    for (size_t i = 0; i < key.bytes; i++) {
        if (!is_z85(key.data[i]))
            return KEYFILE_BAD_KEY;
    }
    return is_test_key(key) ? KEYFILE_TEST_KEY : KEYFILE_GOOD;
}

/* Printable, and nothing that ends a word in a list, a log line or a path. */
static bool is_plain(struct span text, bool is_list)
{
    for (size_t i = 0; i < text.bytes; i++) {
        uint8_t c = text.data[i];
        if (c <= ' ' || c == 127 || c == '"' || c == '\'' || c == '/' || c == '\\' ||
            (c == ',' && !is_list))
            return false;
    }
    return span_is_text(text);
}

bool keyfile_is_name(struct span name)
{
    return name.bytes > 0 && name.bytes <= NAME_BYTES_MAX && name.data[0] != '.' &&
           is_plain(name, false);
}

bool keyfile_is_roles(struct span roles)
{
    return roles.bytes > 0 && roles.bytes < KEYFILE_ROLES_BYTES && is_plain(roles, true);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trimmed(struct span text)
{
    while (text.bytes > 0 && is_blank(text.data[0]))
        text = span_of(text.data + 1, text.bytes - 1);
    while (text.bytes > 0 && is_blank(text.data[text.bytes - 1]))
        text.bytes--;
    return text;
}

/* A value between quotes of one kind, or as it stands. */
static struct span unquoted(struct span text)
{
    if (text.bytes >= 2 && (text.data[0] == '"' || text.data[0] == '\'') &&
        text.data[text.bytes - 1] == text.data[0])
        return span_of(text.data + 1, text.bytes - 2);
    return text;
}

static void put(struct parsing *parsing, char *to, struct span value)
{
    if (to[0] != '\0') {
        parsing->verdict = KEYFILE_MALFORMED;
        return;
    }
    memcpy(to, value.data, value.bytes);
    to[value.bytes] = '\0';
}

static void take_key(struct parsing *parsing, char key[KEYFILE_KEY_BYTES], struct span value)
{
    enum keyfile_verdict verdict = keyfile_key_judge(value);
    if (verdict == KEYFILE_GOOD)
        put(parsing, key, value);
    else
        parsing->verdict = verdict;
}

static void take_metadata(struct parsing *parsing, struct span name, struct span value)
{
    struct keyfile *keyfile = parsing->keyfile;
    bool is_name = span_equal(name, span_text("name"));
    if (value.bytes == 0 || (!is_name && !span_equal(name, span_text("roles"))))
        return;
    bool is_good = is_name ? keyfile_is_name(value) : keyfile_is_roles(value);
    if (is_good)
        put(parsing, is_name ? keyfile->name : keyfile->roles, value);
    else
        parsing->verdict = KEYFILE_BAD_NAME;
}

static void take_setting(struct parsing *parsing, struct span name, struct span value)
{
    struct keyfile *keyfile = parsing->keyfile;
    if (parsing->section == SECTION_METADATA)
        take_metadata(parsing, name, value);
    if (parsing->section != SECTION_CURVE)
        return;
    if (span_equal(name, span_text("public-key")))
        take_key(parsing, keyfile->public_key, value);
    else if (span_equal(name, span_text("secret-key")))
        take_key(parsing, keyfile->secret_key, value);
}

static void take_line(struct parsing *parsing, struct span line)
{
    struct span text = trimmed(line);
    if (text.bytes == 0 || text.data[0] == '#')
        return;
    const uint8_t *equals = memchr(text.data, '=', text.bytes);
    if (text.data == line.data) { /* at the margin: a section */
        struct span name =
            trimmed(span_of(text.data, equals == NULL ? text.bytes : (size_t)(equals - text.data)));
        parsing->section = span_equal(name, span_text("curve"))      ? SECTION_CURVE
                           : span_equal(name, span_text("metadata")) ? SECTION_METADATA
                                                                     : SECTION_NONE;
    } else if (equals != NULL) {
        size_t before = (size_t)(equals - text.data);
        struct span name = trimmed(span_of(text.data, before));
        struct span value = trimmed(span_of(equals + 1, text.bytes - before - 1));
        take_setting(parsing, name, unquoted(value));
    }
}

enum keyfile_verdict keyfile_decode(struct span text, struct keyfile *keyfile)
{
    struct parsing parsing = {.keyfile = keyfile};
    *keyfile = (struct keyfile){.public_key = ""};
    if (text.bytes > KEYFILE_BYTES_MAX || !span_is_text(text))
        parsing.verdict = KEYFILE_MALFORMED;
    while (text.bytes > 0 && parsing.verdict == KEYFILE_GOOD) {
        const uint8_t *end = memchr(text.data, '\n', text.bytes);
        size_t bytes = end == NULL ? text.bytes : (size_t)(end - text.data);
        take_line(&parsing, span_of(text.data, bytes));
        bytes += end != NULL;
        text = span_of(text.data + bytes, text.bytes - bytes);
    }
    if (parsing.verdict == KEYFILE_GOOD && keyfile->public_key[0] == '\0')
        parsing.verdict = KEYFILE_NO_KEY;
    if (parsing.verdict != KEYFILE_GOOD)
        *keyfile = (struct keyfile){.public_key = ""};
    return parsing.verdict;
}

static void write_setting(struct writer *writer, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    writer_span(writer, span_text("    "));
    writer_span(writer, span_text(name));
    writer_span(writer, span_text(" = \""));
    writer_span(writer, span_text(value));
    writer_span(writer, span_text("\"\n"));
}

void keyfile_encode(const struct keyfile *keyfile, struct writer *writer)
{
    bool is_secret = keyfile->secret_key[0] != '\0';
    writer_span(writer, span_text(is_secret ? SECRET_HEAD : PUBLIC_HEAD));
    writer_span(writer, span_text("metadata\n"));
    write_setting(writer, "name", keyfile->name);
    write_setting(writer, "roles", keyfile->roles);
    writer_span(writer, span_text("curve\n"));
    write_setting(writer, "public-key", keyfile->public_key);
    write_setting(writer, "secret-key", keyfile->secret_key);
}

void keyfile_wipe(void *secret, size_t bytes)
{
    volatile uint8_t *at = secret;
    while (bytes-- > 0)
        *at++ = 0;
}

const char *keyfile_sentence(enum keyfile_verdict verdict)
{
    switch (verdict) {
    case KEYFILE_GOOD:
        return "is a key file";
    case KEYFILE_MALFORMED:
        return "is no key file as `weftctl key new` writes it, or says something twice";
    case KEYFILE_NO_KEY:
        return "has no public-key in a section curve; `weftctl key new` makes key files";
    case KEYFILE_BAD_KEY:
        return "has a key that is not 40 characters of Z85";
    case KEYFILE_TEST_KEY:
        return "has the test key of libzmq's manual, which everybody has; make one with "
               "`weftctl key new`";
    case KEYFILE_BAD_NAME:
        return "has a name or roles that are too long, or with blanks, quotes or slashes";
    case KEYFILE_TWO_SIDES:
        return "is the other half of the pair: a secret file ends in .key_secret and stays where "
               "it was made, a public one ends in .key";
    }
    return "is no key file";
}
