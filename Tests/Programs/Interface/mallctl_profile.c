// The heap profile by mallctl (jemalloc(3), prof.*), written into the current folder. Under
// libjemalloc the same promises hold with MALLOC_CONF=prof:true,prof_active:false,lg_prof_sample:0.
#include <dirent.h>
#include <stdbool.h>

#include "jemalloc.h"

static const char folder[] = ".";

static const char *inside(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static char text[1 << 20];

// Reads a profile; its first line must be a header of jemalloc's.
static void load(const char *path) {
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL, "%s to be there", path);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    REQUIRE(strncmp(text, "heap_v2/1\n  t*: ", 16) == 0, "a header in %s, not %.40s", path, text);
    REQUIRE(strstr(text, "\nMAPPED_LIBRARIES:\n") != NULL, "mappings");
    REQUIRE(strstr(text, "mallctl_profile") != NULL, "this program among the mappings");
}

// Bytes of the stacks whose blocks are all of `size` bytes, and how many there are.
static size_t bytes_of(size_t size, size_t *blocks) {
    size_t sum = 0;
    *blocks = 0;
    for (char *line = strstr(text, "\n@"); line; line = strstr(line + 1, "\n@")) {
        char *figures = strstr(line, "  t*: ");
        REQUIRE(figures != NULL, "figures behind a stack");
        size_t count, bytes;
        REQUIRE(sscanf(figures, "  t*: %zu: %zu [", &count, &bytes) == 2, "two numbers");
        if (count == 0 || bytes / count != size) continue;
        *blocks += count;
        sum += bytes;
    }
    return sum;
}

static int dump(const char *name) {
    const char *path = name ? inside(name) : NULL;
    return mallctl("prof.dump", NULL, NULL, &path, sizeof path);
}

enum { size = 7168, count = 100 };
static void *blocks[count];

static void fill_blocks(void) {
    for (int i = 0; i < count; i++) REQUIRE((blocks[i] = malloc(size)) != NULL, "a block");
}

static void clear_blocks(void) {
    for (int i = 0; i < count; i++) free(blocks[i]);
}

static void live_blocks_are_dumped(void) {
    size_t number;
    fill_blocks();
    clear_blocks();
    EXPECT(WRITE(bool, "prof.active", true) == 0, "to be switched on");
    EXPECT(READ(bool, "prof.active"), "to be on");
    fill_blocks();
    EXPECT(dump("full") == 0, "a dump");
    load(inside("full"));
    EXPECT(bytes_of(size, &number) == size * count && number == count, "%d blocks, not %zu", count, number);
    clear_blocks();
    EXPECT(dump("freed") == 0, "a dump");
    load(inside("freed"));
    EXPECT(bytes_of(size, &number) == 0, "no block, not %zu", number);
    EXPECT(WRITE(bool, "prof.active", false) == 0, "to be switched off");
    EXPECT(!READ(bool, "prof.active"), "to be off");
    fill_blocks();
    EXPECT(dump("off") == 0, "a dump");
    load(inside("off"));
    EXPECT(bytes_of(size, &number) == 0, "no block that was not sampled, not %zu", number);
    clear_blocks();
}

static void a_reset_forgets_and_chooses_the_mean(void) {
    size_t number;
    EXPECT(READ(size_t, "prof.lg_sample") == 0, "the mean of the configuration");
    EXPECT(WRITE(bool, "prof.active", true) == 0, "to be switched on");
    fill_blocks();
    EXPECT(mallctl("prof.reset", NULL, NULL, NULL, 0) == 0, "a reset");
    EXPECT(READ(size_t, "prof.lg_sample") == 0, "the mean to stay");
    EXPECT(dump("reset") == 0, "a dump");
    load(inside("reset"));
    EXPECT(bytes_of(size, &number) == 0, "nothing from before, not %zu", number);
    clear_blocks();
    fill_blocks();
    EXPECT(dump("again") == 0, "a dump");
    load(inside("again"));
    EXPECT(bytes_of(size, &number) == size * count, "what came since, not %zu", number);
    clear_blocks();
    EXPECT(WRITE(size_t, "prof.reset", 21) == 0, "another mean");
    EXPECT(READ(size_t, "prof.lg_sample") == 21, "that mean");
    EXPECT(READ(bool, "prof.active"), "to be on still");
    EXPECT(WRITE(size_t, "prof.reset", 1000) == 0, "the largest mean");
    EXPECT(READ(size_t, "prof.lg_sample") == 63, "that mean");
    EXPECT(WRITE(bool, "prof.active", false) == 0, "to be switched off");
    EXPECT(READ(size_t, "prof.lg_sample") == 63, "the mean to stay while it is off");
    EXPECT(WRITE(size_t, "prof.reset", 0) == 0, "every block");
}

// The number of files in the folder whose names end so.
static int files(const char *end) {
    DIR *directory = opendir(folder);
    REQUIRE(directory != NULL, "a folder");
    int found = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name), tail = strlen(end);
        found += length > tail && strcmp(entry->d_name + length - tail, end) == 0;
    }
    closedir(directory);
    return found;
}

static void dumps_have_names(void) {
    const char *prefix = inside("own");
    EXPECT(mallctl("prof.prefix", NULL, NULL, &prefix, sizeof prefix) == 0, "a prefix");
    EXPECT(dump(NULL) == 0, "a dump by NULL");
    EXPECT(mallctl("prof.dump", NULL, NULL, NULL, 0) == 0, "a dump without a name");
    EXPECT(files(".0.m0.heap") == 1 && files(".1.m1.heap") == 1, "two files");
    const char *nowhere = inside("no/such/folder");
    EXPECT(mallctl("prof.dump", NULL, NULL, &nowhere, sizeof nowhere) == EFAULT, "EFAULT");
    EXPECT(mallctl("prof.dump", NULL, NULL, &nowhere, 4) == EINVAL, "EINVAL for half a pointer");
    size_t length = sizeof prefix;
    EXPECT(mallctl("prof.dump", &prefix, &length, NULL, 0) == EPERM, "EPERM for reading");
    EXPECT(mallctl("prof.prefix", &prefix, &length, NULL, 0) == EPERM, "EPERM for reading");
    EXPECT(mallctl("prof.reset", &prefix, &length, NULL, 0) == EPERM, "EPERM for reading");
    EXPECT(WRITE(unsigned, "prof.reset", 1) == EINVAL, "EINVAL for another length");
    EXPECT(WRITE(size_t, "prof.active", 1) == EINVAL, "EINVAL for another length");
    EXPECT(WRITE(size_t, "prof.lg_sample", 1) == EPERM, "EPERM for writing");
    EXPECT(WRITE(uint64_t, "prof.interval", 1) == EPERM, "EPERM for writing");
    EXPECT(READ(uint64_t, "prof.interval") == 0, "no dumps by themselves");
}

static void settings_are_read(void) {
    EXPECT(READ(bool, "config.prof") && READ(bool, "opt.prof"), "a profile to be had");
    EXPECT(!READ(bool, "opt.prof_active") && !READ(bool, "prof.active"), "it to be off at start");
    EXPECT(READ(size_t, "opt.lg_prof_sample") == 0, "the mean of MALLOC_CONF");
    EXPECT(strcmp(READ(const char *, "opt.prof_prefix"), "jeprof") == 0, "the usual prefix");
    EXPECT(!READ(bool, "opt.prof_final") && !READ(bool, "opt.prof_leak"), "nothing at the end");
    EXPECT(!READ(bool, "opt.prof_accum") && !READ(bool, "opt.prof_gdump"), "no other dumps");
    EXPECT(READ(ssize_t, "opt.lg_prof_interval") == -1, "no other dumps");
    EXPECT(READ(bool, "prof.thread_active_init") && READ(bool, "thread.prof.active"), "all threads");
    EXPECT(WRITE(bool, "thread.prof.active", true) == 0, "what is so to be asked for");
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(live_blocks_are_dumped),
        CASE(a_reset_forgets_and_chooses_the_mean),
        CASE(dumps_have_names),
        CASE(settings_are_read),
    };
    return RUN_CASES(cases);
}
