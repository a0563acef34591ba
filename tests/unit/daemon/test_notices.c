#include "daemon/notices.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

static char written[4096];

static const char *logged(const struct mesh_notice *notice)
{
    struct logger logger;
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    logger_open(&logger, fds[1]);
    logger.level = LOGGER_DEBUG;
    notices_log(&logger, notice, UINT64_C(1795336801002));
    ssize_t bytes = read(fds[0], written, sizeof(written) - 1);
    written[bytes] = '\0';
    logger_close(&logger);
    close(fds[0]);
    close(fds[1]);
    return written + strlen("2026-11-22T08:40:01.002Z ");
}

Test(notices, lines_are_those_of_the_manual)
{
    struct mesh_notice joined = {
        .code = NOTICE_JOINED, .values = {3, 15}, .texts = {span_text("10.0.0.11:7311")}};
    cr_assert_str_eq(logged(&joined), "info joined via=10.0.0.11:7311 members=3 took_ms=15\n");
    struct mesh_notice synced = {.code = NOTICE_SYNCED, .values = {3, 18204, 512, 12}};
    cr_assert_str_eq(logged(&synced),
                     "info synced handlers=3 sessions=18204 topics=512 took_ms=12\n");
    struct mesh_notice ready = {.code = NOTICE_READY};
    cr_assert_str_eq(logged(&ready), "info ready\n");
    struct mesh_notice alone = {.code = NOTICE_ALONE, .values = {2}};
    cr_assert_str_eq(logged(&alone), "info alone seeds=2\n");
    struct mesh_notice member = {
        .code = NOTICE_MEMBER,
        .values = {0x6731a0c19e02b7d4, 1},
        .texts = {span_text("eu-a"), span_text("dead"), span_text("silent")}};
    cr_assert_str_eq(logged(&member),
                     "info member name=eu-a state=dead why=silent instance=6731a0c19e02b7d4\n");
}

Test(notices, a_session_is_shown_by_its_id)
{
    struct mesh_notice opened = {
        .code = NOTICE_SESSION_OPENED, .values = {1, 0xab}, .texts = {span_text("eve")}};
    cr_assert_str_eq(logged(&opened), "debug session-opened principal=eve "
                                      "session=0000000000000001-00000000000000ab\n");
}

Test(notices, every_code_has_an_event){
#define NOTICE_CHECK(name, level, event)                                                           \
    {                                                                                              \
        struct mesh_notice notice = {.code = NOTICE_##name};                                       \
        cr_assert_eq(strncmp(logged(&notice), #level " " event, strlen(#level " " event)), 0,      \
                     "%s", written);                                                               \
    }
    NOTICE_LIST(NOTICE_CHECK)
#undef NOTICE_CHECK
}

Test(notices, being_refused_is_exit_4)
{
    cr_assert_eq(notices_exit_code(NOTICE_LEFT), 0);
    cr_assert_eq(notices_exit_code(NOTICE_NAME_LOST), 4);
    cr_assert_eq(notices_exit_code(NOTICE_MESH_REFUSED), 4);
}
