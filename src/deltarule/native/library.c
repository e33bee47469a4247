/* What the loader asks of the library: for which sources it was made, and which instructions this processor has. */
#include <string.h>
#if defined __x86_64__
#include <cpuid.h> /* and not __builtin_cpu_supports, whose answer is always no where zig has linked */
#endif

const char *sources_hash(void) { return SOURCES_HASH; }

int has_instructions(const char *name) {
#if defined __x86_64__
    const unsigned v3 = 1u << 5 | 1u << 8;                                          /* AVX2, BMI2 */
    const unsigned v4 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31 | v3; /* AVX-512 F, DQ, CD, BW, VL */
    unsigned a, b, c, d, kept, high, wanted = strcmp(name, "v4") ? v3 : v4, registers = wanted == v4 ? 0xe6 : 0x6;
    if (strcmp(name, "v3") && strcmp(name, "v4"))
        return 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 12) || !(c & 1u << 27)) /* FMA, and XGETBV */
        return 0;
    __asm__("xgetbv" : "=a"(kept), "=d"(high) : "c"(0)); /* which registers the system keeps for a thread */
    return (kept & registers) == registers && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & wanted) == wanted;
#else
    return !strcmp(name, "neon");
#endif
}
