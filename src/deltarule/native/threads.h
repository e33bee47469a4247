/* Threads that take a step together: each knows its share, and they wait for one another between the parts of it. */
#ifndef THREADS_H
#define THREADS_H
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#define PATIENCE 2000 /* looks before who waits lets others have its core */

typedef struct {
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_int round;
    _Alignas(64) int size;
} Team;

static inline void rest(int looks) {
    if (looks > PATIENCE)
        sched_yield();
#if defined __x86_64__
    else
        __builtin_ia32_pause();
#endif
}

/* Wait until all have come here. */
static inline void meet(Team *team) {
    if (team->size == 1)
        return;
    int now = atomic_load_explicit(&team->round, memory_order_acquire), looks = 0;
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->size - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
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
