/* replay.c - feeds every file of a corpus folder to a fuzz target, as an ordinary test.
 *
 * Each input is copied into a heap block of exactly its size: ASan sees one byte too far. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX_BYTES = 1 << 20, PATH_MAX_BYTES = 4096 };

static unsigned char input[INPUT_MAX_BYTES];

static int replay_bytes(size_t input_bytes)
{
    uint8_t *copy = malloc(input_bytes > 0 ? input_bytes : 1);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, input, input_bytes);
    (void)LLVMFuzzerTestOneInput(copy, input_bytes);
    free(copy);
    return 0;
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t input_bytes = fread(input, 1, sizeof(input), file);
    (void)fclose(file);
    return replay_bytes(input_bytes);
}

static int replay_folder(DIR *folder, const char *name)
{
    int inputs_count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[PATH_MAX_BYTES];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
        if (replay_file(path) != 0) {
            return -1;
        }
        inputs_count++;
    }
    return inputs_count;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 1;
    }
    int inputs_count = replay_folder(folder, argv[1]);
    (void)closedir(folder);
    if (inputs_count <= 0 || replay_bytes(0) != 0) {
        (void)fprintf(stderr, "%s: no inputs, or one that cannot be read\n", argv[1]);
        return 1;
    }
    printf("%d inputs replayed from %s\n", inputs_count, argv[1]);
    return 0;
}
