/* planted_heap_overflow.c - writes one byte behind its block: ASan must stop it. The write is kept
 * out of line, or UBSan would know the block's size and speak first. */
#include <stdlib.h>

__attribute__((noinline)) static void write_at(char *block, size_t at)
{
    block[at] = 1;
}

int main(void)
{
    enum { BLOCK_BYTES = 16 };
    char *block = malloc(BLOCK_BYTES);
    if (block == NULL) {
        return EXIT_SUCCESS;
    }
    write_at(block, BLOCK_BYTES);
    free(block);
    return EXIT_SUCCESS;
}
