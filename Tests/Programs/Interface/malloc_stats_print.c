// Promises of malloc_stats_print(3) as Percolate keeps them.
#include "jemalloc.h"
#include "resident.h"

static char printed[1 << 20];
static size_t printed_length;

// What a program's function may do: allocate, and ask.
static void collect(void *argument, const char *text) {
    free(malloc(100));
    (void)READ(size_t, "stats.allocated");
    REQUIRE(argument == printed, "the argument to be passed on");
    size_t length = strlen(text);
    REQUIRE(printed_length + length < sizeof printed, "room");
    memcpy(printed + printed_length, text, length + 1);
    printed_length += length;
}

static void print(const char *options) {
    printed_length = 0;
    malloc_stats_print(collect, printed, options);
}

static void json_is_printed(void) {
    print("J");
    write(1, printed, printed_length);
}
static void short_json_is_printed(void) {
    print("Jgab");
    write(1, printed, printed_length);
}

static void text_is_printed(void) {
    static const char *const options[] = {NULL, "", "g", "mdablxe", "QWERTY"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        print(options[i]);
        size_t allocated, active, metadata, resident, mapped, retained;
        const char *line = strstr(printed, "Allocated: ");
        REQUIRE(line != NULL, "a line of figures");
        EXPECT(sscanf(line,
                   "Allocated: %zu, active: %zu, metadata: %zu (n_thp 0), resident: %zu, mapped: "
                   "%zu, retained: %zu",
                   &allocated, &active, &metadata, &resident, &mapped, &retained) == 6,
            "six figures");
        EXPECT(allocated <= active && active <= resident, "figures that agree");
        EXPECT(strncmp(printed, "___ Begin jemalloc statistics ___", 33) == 0, "a beginning");
        EXPECT(strstr(printed, "--- End jemalloc statistics ---\n") != NULL, "an end");
        EXPECT((strstr(printed, "Version:") != NULL) == !(options[i] && strchr(options[i], 'g')),
            "no general information where it is unwanted");
    }
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(json_is_printed),
        CASE(short_json_is_printed),
        CASE(text_is_printed),
    };
    return RUN_CASES(cases);
}
