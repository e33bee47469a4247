/* Deformed images: data/augment.py once more. An image is (height, width), row by row; 0 lies all around it. */

#define ACROSS_PITCH(width) (((width) + 31) / 32 * 32) /* the same for every instruction set */

typedef struct {
    /* images: read; out: written, may be the same. Numbers from one image to the next in each. */
    const REAL *images;
    REAL *out;
    int64_t images_row, out_row, n, height, width;
    /* maps: (2, n, 3), of (row, column, 1) to where a pixel comes from. widths: (n,), of the pen, or NULL. */
    const REAL *maps, *widths;
    /* noise: (height, 2, n, width), or NULL. Smoothing: (height, height), and (width, ACROSS_PITCH), transposed. */
    const uint8_t *noise;
    const REAL *down, *across;
    REAL *room; /* deform_room numbers */
} Deform;

static int64_t padded(int64_t n) { return (n + PANEL - 1) / PANEL * PANEL; }

/* How many numbers of room one deformation takes. */
int64_t NAMED(deform_room_, SUFFIX)(const Deform *d) {
    return (d->height + 3) * (d->width + 3) + (6 * d->height + 3) * padded(d->width) + PANEL;
}

/* The image in a border of zeros: one pixel before, two behind. */
static void frame_image(const Deform *d, const REAL *image, REAL *framed) {
    int64_t n = d->width, stride = n + 3;
    memset(framed, 0, (d->height + 3) * stride * sizeof(REAL));
    for (int64_t r = 0; r < d->height; r++)
        memcpy(framed + (r + 1) * stride + 1, image + r * n, n * sizeof(REAL));
}

/* Drawn with a pen wider (pen > 0) or narrower: each pixel goes towards the largest, or smallest, of 3 x 3. */
static void redraw(const Deform *d, REAL pen, const REAL *framed, REAL *extremes, REAL *out) {
    int64_t n = d->width, stride = n + 3;
    REAL sign = pen > 0 ? -1 : 1, share_of_pen = (REAL)0.5 * size_of(pen);
    for (int64_t r = 0; r < d->height + 2; r++)
        EACH {
            const REAL *at = framed + r * stride + j;
            extremes[r * n + j] = smaller(smaller(sign * at[0], sign * at[1]), sign * at[2]);
        }
    for (int64_t r = 0; r < d->height; r++)
        EACH {
            REAL least_of_9 = smaller(smaller(extremes[r * n + j], extremes[(r + 1) * n + j]), extremes[(r + 2) * n + j]);
            REAL here = sign * framed[(r + 1) * stride + j + 1];
            out[r * n + j] = sign * fused(share_of_pen, least_of_9 - here, here);
        }
}

/* How far the pixels of image i move in one direction: noise smoothed over columns of pixels, then over rows. */
static void smooth(const Deform *d, int64_t i, int direction, REAL *noise, REAL *half, REAL *field) {
    int64_t n = d->width, pitch = padded(n);
    for (int64_t r = 0; r < d->height; r++)
        EACH noise[r * pitch + j] = (REAL)d->noise[((r * 2 + direction) * d->n + i) * n + j] - (REAL)127.5;
    for (int second = 0; second < 2; second++)
        for (int64_t c = 0; c < n; c += PANEL)
            for (int64_t r = 0; r < d->height; r += TILE_ROWS) {
                int rows = (int)least(TILE_ROWS, d->height - r), columns = (int)least(PANEL, n - c);
                if (second)
                    multiply_tile(rows, columns, n, (Matrix){half + r * pitch, pitch, 1}, (Matrix){d->across + c, ACROSS_PITCH(n), 1},
                                  field + r * pitch + c, pitch, 0);
                else
                    multiply_tile(rows, columns, d->height, (Matrix){d->down + r * d->height, d->height, 1},
                                  (Matrix){noise + c, pitch, 1}, half + r * pitch + c, pitch, 0);
            }
}

/* points[j] = where column j of row r comes from, one pixel further for the frame, from 0 to `limit`. */
static void find_points(const REAL *map, int64_t r, const REAL *field, REAL limit, REAL *points, int64_t n) {
    REAL start = fused(map[0], (REAL)r, map[2]) + 1;
    EACH points[j] = fused(map[1], (REAL)(int32_t)j, start);
    if (field)
        EACH points[j] += field[j];
    EACH points[j] = smaller(larger(points[j], 0), limit);
}

/* Deform every image in a way of its own. */
void NAMED(deform_, SUFFIX)(const Deform *d) {
    int64_t n = d->width, height = d->height, stride = n + 3, pitch = padded(n);
    REAL *framed = d->room, *fields = framed + (height + 3) * stride, *work = fields + 2 * height * pitch;
    REAL *rows = work + 3 * height * pitch, *columns = rows + pitch;
    for (int64_t i = 0; i < d->n; i++) {
        const REAL *image = d->images + i * d->images_row;
        REAL *out = d->out + i * d->out_row;
        frame_image(d, image, framed);
        if (d->widths) {
            redraw(d, d->widths[i], framed, work, out);
            frame_image(d, out, framed);
        }
        for (int direction = 0; direction < 2 && d->noise; direction++)
            smooth(d, i, direction, work, work + height * pitch, fields + direction * height * pitch);
        for (int64_t r = 0; r < height; r++, out += n) {
            find_points(d->maps + i * 3, r, d->noise ? fields + r * pitch : NULL, (REAL)(height + 1), rows, n);
            find_points(d->maps + (d->n + i) * 3, r, d->noise ? fields + (height + r) * pitch : NULL, (REAL)(n + 1), columns, n);
            EACH { /* between four pixels: first along the columns, then along the rows */
                int32_t top = (int32_t)rows[j], left = (int32_t)columns[j];
                const REAL *at = framed + top * (int32_t)stride + left;
                REAL down = rows[j] - (REAL)top, right = columns[j] - (REAL)left;
                REAL upper = fused(right, at[1] - at[0], at[0]), lower = fused(right, at[stride + 1] - at[stride], at[stride]);
                out[j] = fused(down, lower - upper, upper);
            }
        }
    }
}
