/* Threads that take a step together: each has its share, helps those that are behind, and they wait for one another
   between the parts of it. */
#ifndef THREADS_H
#define THREADS_H
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#define PATIENCE 2000 /* looks before who waits lets others have its core */
#define HELPED 4  /* shares, with one's own, that one works on */
#if defined __wasm__
#define THREADS_MOST 1
#else
#define THREADS_MOST 256
#endif

typedef struct { _Alignas(64) atomic_int_least64_t n; } Taken;

typedef struct {
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_int round;
    _Alignas(64) int size;
    Taken taken[2][THREADS_MOST]; /* pieces of each share in this part and in the next */
} Team;

static inline void rest(int looks) {
    if (looks > PATIENCE)
        sched_yield();
#if defined __x86_64__
    else
        __builtin_ia32_pause();
#endif
}

/* Take the next piece of someone's share in this part of the step: 0, 1, 2 and on; how many there are, one knows. */
static inline int64_t take(Team *team, int whose) {
    atomic_int_least64_t *taken = &team->taken[atomic_load_explicit(&team->round, memory_order_relaxed) & 1][whose].n;
    if (THREADS_MOST > 1 && team->size > 1)
        return atomic_fetch_add_explicit(taken, 1, memory_order_relaxed);
    int64_t piece = atomic_load_explicit(taken, memory_order_relaxed);
    atomic_store_explicit(taken, piece + 1, memory_order_relaxed);
    return piece;
}

/* Whose share one looks at after `i` others: one's own first, then those of the next in the team; -1 for no more. */
static inline int next_share(const Team *team, int rank, int i) {
    return i < team->size && i < HELPED && i < THREADS_MOST ? (rank + i) % team->size : -1;
}

/* Wait until all have come here. */
static inline void meet(Team *team) {
    if (THREADS_MOST == 1 || team->size == 1) {
        atomic_store_explicit(&team->taken[0][0].n, 0, memory_order_relaxed);
        return;
    }
    int now = atomic_load_explicit(&team->round, memory_order_acquire), looks = 0;
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->size - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        for (int rank = 0; rank < team->size; rank++)
            atomic_store_explicit(&team->taken[now & 1][rank].n, 0, memory_order_relaxed);
        atomic_store_explicit(&team->round, now + 1, memory_order_release);
        return;
    }
    while (atomic_load_explicit(&team->round, memory_order_acquire) == now)
        rest(looks++);
}

typedef struct { int64_t from, to; } Range;

/* Which of n things belong to one of some ranks; only whole groups, but for the last. */
static inline Range share(int64_t n, int64_t group, int rank, int ranks) {
    int64_t groups = (n + group - 1) / group, from = groups * rank / ranks * group, to = groups * (rank + 1) / ranks * group;
    return (Range){from < n ? from : n, to < n ? to : n};
}

#endif
