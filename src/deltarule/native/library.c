/* What the loader asks of the library: for which sources it was made, and which instructions this processor has. */
#include <string.h>

const char *sources_hash(void) { return SOURCES_HASH; }

int has_instructions(const char *name) {
#if defined __x86_64__
    __builtin_cpu_init();
    if (!strcmp(name, "v3"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (!strcmp(name, "v4"))
        return has_instructions("v3") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
    return 0;
#else
    return !strcmp(name, "neon");
#endif
}
