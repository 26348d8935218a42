#include "Configuration.h"

#include <percolate/process.h>
#include <percolate/syscalls.h>
#include <stddef.h>
#include <string.h>

#include "../core.h"

/// A program's own settings: its definition wins over this one. Safe to ask for before this library
/// is relocated.
__attribute__((weak, visibility("default"))) const char *malloc_conf;

static struct percolate_configuration configuration = {
    .profiles_at_start = true, .profile_mean_logarithm = 19, .profile_prefix = "jeprof"};

/// Written out in place: the heap may start before the pointers of this library are relocated.
struct rule {
    char key[24];
    char value[16];
    /// Empty where the value is what holds here in any case.
    char option[20];
};

static const struct rule rules[] = {
    {"background_thread", "true", "background=auto"},
    {"background_thread", "false", "background=off"},
    {"thp", "always", "huge=1"},
    {"thp", "never", "huge=0"},
    {"thp", "default", "huge=auto"},
    {"tcache", "true", "cache=auto"},
    {"tcache", "false", "cache=0"},
    {"abort", "false", ""},
    {"abort_conf", "false", ""},
    {"cache_oblivious", "false", ""},
    {"confirm_conf", "false", ""},
    {"dss", "disabled", ""},
    {"hpa", "false", ""},
    {"junk", "false", ""},
    {"lg_prof_interval", "-1", ""},
    {"max_background_threads", "1", ""},
    {"metadata_thp", "disabled", ""},
    {"muzzy_decay_ms", "0", ""},
    {"narenas", "1", ""},
    {"oversize_threshold", "0", ""},
    {"percpu_arena", "disabled", ""},
    {"prof_accum", "false", ""},
    {"prof_gdump", "false", ""},
    {"prof_leak_error", "false", ""},
    {"prof_thread_active_init", "true", ""},
    {"retain", "true", ""},
    {"stats_print", "false", ""},
    {"utrace", "false", ""},
    {"xmalloc", "false", ""},
    {"zero", "false", ""},
    {"zero_realloc", "free", ""},
};

struct word {
    const char *text;
    size_t length;
};

static bool is(struct word word, const char *text) {
    size_t i = 0;
    while (i < word.length && text[i] && word.text[i] == text[i]) i++;
    return i == word.length && !text[i];
}

/// Appends to a list separated by commas. What does not fit is left out.
static void append(char *list, size_t size, const char *text, size_t length) {
    size_t used = strlen(list);
    if (used + length + 2 > size) return;
    if (used > 0) list[used++] = ',';
    memcpy(list + used, text, length);
    list[used + length] = 0;
}

static bool is_number(struct word word) {
    if (word.length == 0 || word.length > 18) return false;
    for (size_t i = 0; i < word.length; i++) {
        if (word.text[i] < '0' || word.text[i] > '9') return false;
    }
    return true;
}

static bool as_flag(struct word value, bool *flag) {
    if (!is(value, "true") && !is(value, "false")) return false;
    *flag = is(value, "true");
    return true;
}

/// Of the heap profile.
static bool apply_profile(struct word key, struct word value) {
    if (is(key, "prof")) return as_flag(value, &configuration.profiles);
    if (is(key, "prof_active")) return as_flag(value, &configuration.profiles_at_start);
    if (is(key, "prof_final")) return as_flag(value, &configuration.profiles_at_exit);
    if (is(key, "prof_leak")) return as_flag(value, &configuration.lists_leaks);
    if (is(key, "prof_prefix") && value.length < sizeof configuration.profile_prefix) {
        memcpy(configuration.profile_prefix, value.text, value.length);
        configuration.profile_prefix[value.length] = 0;
        return true;
    }
    if (!is(key, "lg_prof_sample") || !is_number(value) || value.length > 2) return false;
    unsigned logarithm = 0;
    for (size_t i = 0; i < value.length; i++)
        logarithm = logarithm * 10 + (unsigned)(value.text[i] - '0');
    if (logarithm > 63) return false;
    configuration.profile_mean_logarithm = logarithm;
    return true;
}

/// The option `sample` of a mean number of bytes.
static void append_mean(unsigned logarithm) {
    char text[32] = "sample=";
    size_t length = 7;
    // An option's number has 15 digits at most.
    bool in_tebibytes = logarithm >= 40;
    uint64_t number = (uint64_t)1 << (in_tebibytes ? logarithm - 40 : logarithm);
    uint64_t unit = 1;
    while (number / unit >= 10) unit *= 10;
    for (; unit > 0; unit /= 10) text[length++] = (char)('0' + number / unit % 10);
    if (in_tebibytes) text[length++] = 'T';
    append(configuration.options, sizeof configuration.options, text, length);
}

/// Whether the pair has a counterpart.
static bool apply(struct word key, struct word value) {
    if (is(key, "dirty_decay_ms")) {
        bool never = is(value, "-1");
        if (!never && !is_number(value)) return false;
        const char *option = never ? "release=never" : "release=prompt";
        append(configuration.options, sizeof configuration.options, option, strlen(option));
        return true;
    }
    if (is(key, "stats_print") && is(value, "true")) return configuration.prints_statistics = true;
    if (is(key, "stats_print_opts") && value.length < sizeof configuration.print_options) {
        memcpy(configuration.print_options, value.text, value.length);
        configuration.print_options[value.length] = 0;
        return true;
    }
    if (apply_profile(key, value)) return true;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!is(key, rules[i].key) || !is(value, rules[i].value)) continue;
        if (is(key, "stats_print")) configuration.prints_statistics = false;
        if (is(key, "thp")) configuration.huge_pages = is(value, "always");
        if (rules[i].option[0]) {
            append(configuration.options, sizeof configuration.options, rules[i].option,
                strlen(rules[i].option));
        }
        return true;
    }
    return false;
}

static void parse(const char *text) {
    while (*text) {
        size_t length = 0, split = 0;
        while (text[length] && text[length] != ',') length++;
        while (split < length && text[split] != ':') split++;
        struct word key = {text, split};
        struct word value = {text + split + 1, split < length ? length - split - 1 : 0};
        if (length > 0 && !(split < length && apply(key, value))) {
            append(configuration.unserved, sizeof configuration.unserved, text, length);
        }
        text += length;
        if (*text) text++;
    }
}

/// In the manual's order: later ones win.
const char *percolate_preset_options(void) {
    const char **program = &malloc_conf;
    __asm__("" : "+r"(program));
    if (program && *program) parse(*program);
    char link[256];
    long length = percolate_syscall6(
        SYS_readlinkat, AT_FDCWD, (long)"/etc/malloc.conf", (long)link, sizeof link - 1, 0, 0);
    if (length > 0) {
        link[length] = 0;
        parse(link);
    }
    // 23 is AT_SECURE: a program with raised privileges does not listen to its environment.
    const char *environment =
        percolate_auxiliary(23) == 0 ? percolate_environment_value("MALLOC_CONF") : NULL;
    if (environment) parse(environment);
    if (configuration.profiles && configuration.profiles_at_start)
        append_mean(configuration.profile_mean_logarithm);
    if (configuration.profiles && configuration.lists_leaks)
        append(configuration.options, sizeof configuration.options, "leaks=1", 7);
    return configuration.options;
}

const char *percolate_unserved_options(void) { return configuration.unserved; }

const struct percolate_configuration *percolate_configuration(void) {
    // Any question starts the heap.
    percolate_class_figures(NULL, 0);
    return &configuration;
}
