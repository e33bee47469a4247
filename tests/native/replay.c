/* Replays calls of the library on another processor, for test_other_processors.py: reads each from a file as it was
   before, makes it, and writes what it has become. A call is its function, how many fields its structure has, and the
   fields: a length, then so many bytes that the field points to; or -1, then the number itself. */
#include "call.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FIELDS 64
enum Function { RUN_FLOAT, RUN_DOUBLE, DEFORM_FLOAT, DEFORM_DOUBLE };

int64_t room_bytes_float_neon(Call *), room_bytes_double_neon(Call *);
int64_t deform_room_float_neon(const void *), deform_room_double_neon(const void *);
void run_float_neon(Call *), run_double_neon(Call *), deform_float_neon(const void *), deform_double_neon(const void *);

static int64_t read_number(FILE *from) {
    int64_t number;
    if (fread(&number, sizeof number, 1, from) != 1)
        exit(3);
    return number;
}

static void make_call(int64_t function, int64_t *fields, int64_t n_fields) {
    if (function == DEFORM_FLOAT || function == DEFORM_DOUBLE) { /* room is the last field */
        int64_t n = function == DEFORM_FLOAT ? deform_room_float_neon(fields) : deform_room_double_neon(fields);
        fields[n_fields - 1] = (int64_t)calloc(n, sizeof(double));
        (function == DEFORM_FLOAT ? deform_float_neon : deform_double_neon)(fields);
        free((void *)fields[n_fields - 1]);
        return;
    }
    Call *call = (Call *)fields;
    call->room = calloc(1, (function == RUN_FLOAT ? room_bytes_float_neon : room_bytes_double_neon)(call));
    (function == RUN_FLOAT ? run_float_neon : run_double_neon)(call);
    free(call->room);
}

int main(int n_arguments, char **arguments) {
    FILE *from = fopen(arguments[n_arguments - 2], "rb"), *to = fopen(arguments[n_arguments - 1], "wb");
    int64_t fields[MOST_FIELDS], lengths[MOST_FIELDS];
    for (int64_t calls = read_number(from); calls > 0; calls--) {
        int64_t function = read_number(from), n_fields = read_number(from);
        for (int64_t i = 0; i < n_fields; i++) {
            lengths[i] = read_number(from);
            if (lengths[i] <= 0) {
                fields[i] = lengths[i] ? read_number(from) : 0;
                continue;
            }
            fields[i] = (int64_t)malloc(lengths[i]);
            if (fread((void *)fields[i], lengths[i], 1, from) != 1)
                return 3;
        }
        make_call(function, fields, n_fields);
        for (int64_t i = 0; i < n_fields; i++)
            if (lengths[i] > 0) {
                fwrite((void *)fields[i], lengths[i], 1, to);
                free((void *)fields[i]);
            } else if (lengths[i] < 0)
                fwrite(fields + i, sizeof *fields, 1, to);
    }
    return fclose(to);
}
