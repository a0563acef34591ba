#include "keys/keyfile.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define PUBLIC_KEY "0000000000000000000000000000000000000001"
#define SECRET_KEY "0000000000000000000000000000000000000002"

static enum keyfile_verdict decode(const char *text, struct keyfile *keyfile)
{
    return keyfile_decode(span_text(text), keyfile);
}

Test(keyfile, what_is_written_is_read)
{
    char text[KEYFILE_BYTES_MAX];
    struct keyfile made = {PUBLIC_KEY, SECRET_KEY, "eu-a", "trader,guest"}, read;
    struct writer writer;
    writer_init(&writer, text, sizeof text);
    keyfile_encode(&made, &writer);
    cr_assert(!writer.is_bad);
    cr_assert_eq(keyfile_decode(span_of(text, sizeof text - writer.left), &read), KEYFILE_GOOD);
    cr_assert_str_eq(read.public_key, PUBLIC_KEY);
    cr_assert_str_eq(read.secret_key, SECRET_KEY);
    cr_assert_str_eq(read.name, "eu-a");
    cr_assert_str_eq(read.roles, "trader,guest");
}

Test(keyfile, comments_other_sections_and_other_names_are_left_alone)
{
    struct keyfile keyfile;
    cr_assert_eq(decode("# a comment = \"x\"\r\n"
                        "metadata\r\n"
                        "    email = \"a@b\"\r\n"
                        "    name = 'eu-a'\r\n"
                        "elsewhere\r\n"
                        "    public-key = \"short\"\r\n"
                        "\r\n"
                        "curve\r\n"
                        "    public-key = \"" PUBLIC_KEY "\"",
                        &keyfile),
                 KEYFILE_GOOD);
    cr_assert_str_eq(keyfile.name, "eu-a");
    cr_assert_str_eq(keyfile.public_key, PUBLIC_KEY);
    cr_assert_str_empty(keyfile.secret_key);
}

Test(keyfile, a_key_outside_of_its_section_is_none)
{
    struct keyfile keyfile;
    cr_assert_eq(decode("public-key = \"" PUBLIC_KEY "\"\n", &keyfile), KEYFILE_NO_KEY);
    cr_assert_eq(decode("metadata\n    public-key = \"" PUBLIC_KEY "\"\n", &keyfile),
                 KEYFILE_NO_KEY);
    cr_assert_eq(decode("", &keyfile), KEYFILE_NO_KEY);
}

Test(keyfile, a_key_of_the_wrong_length_or_alphabet_is_refused)
{
    struct keyfile keyfile;
    cr_assert_eq(decode("curve\n    public-key = \"0000\"\n", &keyfile), KEYFILE_BAD_KEY);
    cr_assert_eq(decode("curve\n    public-key = \"" PUBLIC_KEY "1\"\n", &keyfile),
                 KEYFILE_BAD_KEY);
    cr_assert_eq(
        decode("curve\n    public-key = \"000000000000000000000000000000000000000~\"\n", &keyfile),
        KEYFILE_BAD_KEY);
    cr_assert_str_empty(keyfile.public_key);
}

Test(keyfile, the_manuals_keys_are_refused_on_either_side)
{
    static const char *const known[] = {
        "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
        "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
        "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[256];
        struct keyfile keyfile;
        snprintf(text, sizeof text, "curve\n    %s = \"%s\"\n",
                 i % 2 == 0 ? "public-key" : "secret-key", known[i]);
        cr_assert_eq(decode(text, &keyfile), KEYFILE_TEST_KEY, "%s", known[i]);
    }
}

Test(keyfile, what_is_said_twice_is_refused)
{
    struct keyfile keyfile;
    cr_assert_eq(decode("curve\n    public-key = \"" PUBLIC_KEY "\"\n"
                        "    public-key = \"" SECRET_KEY "\"\n",
                        &keyfile),
                 KEYFILE_MALFORMED);
    cr_assert_eq(decode("metadata\n    name = \"a\"\n    name = \"b\"\ncurve\n"
                        "    public-key = \"" PUBLIC_KEY "\"\n",
                        &keyfile),
                 KEYFILE_MALFORMED);
}

Test(keyfile, a_name_that_could_pass_for_a_path_or_a_list_is_refused)
{
    static const char *const names[] = {"../b", "a b", "a,b", "a\"b", ".hidden", "a\\b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[256];
        struct keyfile keyfile;
        snprintf(text, sizeof text,
                 "metadata\n    name = \"%s\"\ncurve\n    public-key = \"" PUBLIC_KEY "\"\n",
                 names[i]);
        cr_assert_eq(decode(text, &keyfile), KEYFILE_BAD_NAME, "%s", names[i]);
        cr_assert(!keyfile_is_name(span_text(names[i])));
    }
    cr_assert(keyfile_is_name(span_text("eu-a.example.com-7310")));
    cr_assert(!keyfile_is_name(span_text("")));
}

Test(keyfile, a_file_that_is_too_long_or_no_text_is_refused)
{
    static char text[KEYFILE_BYTES_MAX + 2];
    struct keyfile keyfile;
    memset(text, '\n', KEYFILE_BYTES_MAX + 1);
    cr_assert_eq(decode(text, &keyfile), KEYFILE_MALFORMED);
    cr_assert_eq(decode("curve\n\xff\n", &keyfile), KEYFILE_MALFORMED);
    cr_assert_eq(keyfile_decode(span_of("curve\n\0\n", 8), &keyfile), KEYFILE_MALFORMED);
}
