// Promises of an operator new that finds no memory. Used by a program, and by a plug-in that a C
// program loads.
#pragma once
#include "check.h"
#include <execinfo.h>
#include <new>
#include <stdexcept>
#include <sys/resource.h>

static const std::size_t impossible = opaque(PTRDIFF_MAX - 4096);

// A block that nobody looks at may be optimised away, and the failure with it.
static void *volatile sink;

template <typename Body> static bool throws_bad_alloc(Body body) {
    try {
        body();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

// Without a handler: std::bad_alloc, from every form that may throw, as often as it fails.
static void new_throws_bad_alloc() {
    std::set_new_handler(nullptr);
    for (int i = 0; i < 100; i++) {
        EXPECT(throws_bad_alloc([] { sink = ::operator new(impossible); }), "new to throw std::bad_alloc");
        EXPECT(throws_bad_alloc([] { sink = ::operator new[](impossible); }), "new[] to throw std::bad_alloc");
        EXPECT(throws_bad_alloc([] { sink = ::operator new(impossible, std::align_val_t(64)); }), "aligned new");
        EXPECT(throws_bad_alloc([] { sink = ::operator new[](impossible, std::align_val_t(64)); }), "aligned new[]");
    }
    EXPECT(throws_bad_alloc([] { sink = new char[opaque(SIZE_MAX)]; }), "new char[SIZE_MAX] to throw");
    for (std::size_t odd : {0, 3, 24, 4095}) {
        EXPECT(throws_bad_alloc([odd] { sink = ::operator new(100, std::align_val_t(odd)); }), "alignment %zu to throw", odd);
    }
}

static void nothrow_new_returns_null() {
    std::set_new_handler(nullptr);
    EXPECT(::operator new(impossible, std::nothrow) == nullptr, "nothrow new to return null");
    EXPECT(::operator new[](impossible, std::nothrow) == nullptr, "nothrow new[] to return null");
    EXPECT(::operator new(impossible, std::align_val_t(64), std::nothrow) == nullptr, "aligned nothrow new: null");
    EXPECT(::operator new[](impossible, std::align_val_t(64), std::nothrow) == nullptr, "aligned nothrow new[]: null");
    EXPECT(::operator new(100, std::align_val_t(24), std::nothrow) == nullptr, "alignment 24: null");
}

static int handler_calls;

// A handler that gives up after three calls, by leaving no handler behind.
static void giving_up() {
    if (++handler_calls == 3) std::set_new_handler(nullptr);
}

static void handler_is_called_until_it_gives_up() {
    handler_calls = 0;
    std::set_new_handler(giving_up);
    EXPECT(throws_bad_alloc([] { sink = ::operator new(impossible); }), "new to throw std::bad_alloc in the end");
    EXPECT(handler_calls == 3, "three calls of the handler, got %d", handler_calls);
    handler_calls = 0;
    std::set_new_handler(giving_up);
    EXPECT(::operator new[](impossible, std::nothrow) == nullptr, "nothrow new[] to return null in the end");
    EXPECT(handler_calls == 3, "three calls of the handler, got %d", handler_calls);
    handler_calls = 0;
    std::set_new_handler(giving_up);
    EXPECT(throws_bad_alloc([] { sink = ::operator new(impossible, std::align_val_t(128)); }), "aligned new to throw");
    EXPECT(handler_calls == 3, "three calls of the handler, got %d", handler_calls);
}

// Where the caller of a failing new returns to, and whether the handler found it on the stack.
static void *return_address;
static bool return_address_found;

static void looking_at_the_stack() {
    void *frames[64];
    int count = backtrace(frames, 64);
    for (int i = 0; i < count; i++) return_address_found |= frames[i] == return_address;
    std::set_new_handler(nullptr);
}

template <typename Body> __attribute__((noinline)) static bool handler_finds_its_caller(Body body) {
    return_address = __builtin_return_address(0);
    return_address_found = false;
    std::set_new_handler(looking_at_the_stack);
    bool thrown = throws_bad_alloc(body);
    return thrown && return_address_found;
}

static void handler_sees_the_whole_stack() {
    void *frame;
    backtrace(&frame, 1);
    EXPECT(handler_finds_its_caller([] { sink = ::operator new(impossible); }), "the caller of new");
    EXPECT(handler_finds_its_caller([] { sink = ::operator new[](impossible); }), "the caller of new[]");
    EXPECT(handler_finds_its_caller([] { sink = ::operator new(impossible, std::align_val_t(64)); }), "of aligned new");
}

[[noreturn]] static void throwing() { throw std::runtime_error("no more"); }

// What the handler throws passes through the allocator to the caller.
static void handler_may_throw() {
    std::set_new_handler(throwing);
    bool caught = false;
    try {
        sink = ::operator new(impossible);
    } catch (const std::runtime_error &error) {
        caught = strcmp(error.what(), "no more") == 0;
    }
    EXPECT(caught, "the handler's exception to reach the caller");
    std::set_new_handler(nullptr);
}

[[noreturn]] static void throwing_bad_alloc() { throw std::bad_alloc(); }

// nothrow new turns the handler's std::bad_alloc into a null pointer.
static void nothrow_new_catches_the_handlers_exception() {
    std::set_new_handler(throwing_bad_alloc);
    EXPECT(::operator new(impossible, std::nothrow) == nullptr, "nothrow new to return null");
    EXPECT(::operator new[](impossible, std::nothrow) == nullptr, "nothrow new[] to return null");
    EXPECT(::operator new(impossible, std::align_val_t(64), std::nothrow) == nullptr, "aligned nothrow new: null");
    std::set_new_handler(nullptr);
}

static void *held[512];
static int held_count;

static void freeing() {
    handler_calls++;
    for (int i = 0; i < 8 && held_count > 0; i++) free(held[--held_count]);
}

// The handler frees memory and new succeeds. The limit is on data, which counts committed memory
// wherever it lies.
static void handler_frees_and_new_succeeds() {
    rlimit limit = {(rlim_t)128 << 20, (rlim_t)128 << 20};
    REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0, "RLIMIT_DATA to be set");
    while (held_count < 512 && (held[held_count] = malloc((size_t)1 << 20)) != nullptr) held_count++;
    REQUIRE(held_count > 20 && held_count < 512, "20 to 512 MiB to fit under 128 MiB of data, got %d", held_count);
    int before = held_count;
    handler_calls = 0;
    std::set_new_handler(freeing);
    for (int i = 0; i < 6; i++) {
        bool failed = throws_bad_alloc([] {
            sink = ::operator new((std::size_t)1 << 20);
            memset(sink, 1, (std::size_t)1 << 20);
        });
        EXPECT(!failed, "new to succeed once the handler has freed");
    }
    EXPECT(handler_calls > 0 && held_count < before, "the handler to be called");
    std::set_new_handler(nullptr);
}

static const test_case failing_new_cases[] = {
    CASE(new_throws_bad_alloc),
    CASE(nothrow_new_returns_null),
    CASE(handler_is_called_until_it_gives_up),
    CASE(handler_may_throw),
    CASE(handler_sees_the_whole_stack),
    CASE(nothrow_new_catches_the_handlers_exception),
    CASE(handler_frees_and_new_succeeds),
};
