// Planes of numbers, { values, width, height }: the operations that detection.py of data/ink does with NumPy, in the same order.

/** The outermost pixels, corners twice. */
export function border({ values, width, height }) {
    const found = [];
    for (let y = 0; y < height; y += 1) {
        found.push(values[y * width], values[(y + 1) * width - 1]);
    }
    return Float64Array.of(...values.subarray(0, width), ...values.subarray((height - 1) * width), ...found);
}

/** The value below or at which part / parts of the values lie: one of them, nothing in between. */
export function quantile(values, part, parts) {
    return values.toSorted()[Math.floor((values.length - 1) * part / parts)];
}

export const middle = (values) => quantile(values, 1, 2);

/** [the least, the largest] of some values. */
export function extremes(values) {
    let [least, most] = [Infinity, -Infinity];
    for (let k = 0; k < values.length; k += 1) {
        [least, most] = [Math.min(least, values[k]), Math.max(most, values[k])];
    }
    return [least, most];
}

/** The mean of each pixel and its eight neighbors; beyond the border lies a copy of it. */
export function smoothed({ values, width, height }) {
    const columns = new Float64Array(width + 2);
    const out = new Float64Array(values.length);
    for (let y = 0; y < height; y += 1) {
        const [above, here, below] = [Math.max(y - 1, 0), y, Math.min(y + 1, height - 1)].map((row) => row * width);
        for (let x = 0; x < width; x += 1) {
            columns[x + 1] = values[above + x] + values[here + x] + values[below + x];
        }
        columns[0] = columns[1];
        columns[width + 1] = columns[width];
        for (let x = 0; x < width; x += 1) {
            out[here + x] = (columns[x] + columns[x + 1] + columns[x + 2]) / 9;
        }
    }
    return { values: out, width, height };
}

/** The largest (`sign` 1) or smallest (-1) in a square of that radius around each pixel, as far as it lies within. */
export function extreme(sign, { values, width, height }, radius) {
    const out = values.map((value) => sign * value);
    const line = new Float64Array(Math.max(width, height) + 2 * radius);
    for (let y = 0; y < height; y += 1) {
        along(out.subarray(y * width), 1, line.subarray(0, width + 2 * radius), radius);
    }
    for (let x = 0; x < width; x += 1) {
        along(out.subarray(x), width, line.subarray(0, height + 2 * radius), radius);
    }
    return { values: out.map((value) => sign * value), width, height };
}

/** The largest around every `stride`-th of the values, in place; `line` has room for them and `radius` at each end. */
function along(values, stride, line, radius) {
    const count = line.length - 2 * radius;
    line.fill(-Infinity);
    for (let k = 0; k < count; k += 1) {
        line[radius + k] = values[k * stride];
    }
    let span = 1; // line[k] speaks for the values from k to k + span - 1
    for (; 2 * span <= 2 * radius + 1; span *= 2) {
        for (let k = 0; k + span < line.length; k += 1) {
            line[k] = line[k] > line[k + span] ? line[k] : line[k + span];
        }
    }
    const rest = 2 * radius + 1 - span;
    for (let k = 0; k < count; k += 1) {
        values[k * stride] = line[k] > line[k + rest] ? line[k] : line[k + rest];
    }
}

/** The same plane within a frame: of copies of its border, or of what is within, `mirrored`. */
export function framed({ values, width, height }, margin, mirrored = false) {
    const [columns, rows] = [width + 2 * margin, height + 2 * margin];
    const within = (place, side) => {
        const turn = ((place % (2 * side)) + 2 * side) % (2 * side);
        return mirrored ? Math.min(turn, 2 * side - 1 - turn) : Math.min(Math.max(place, 0), side - 1);
    };
    const across = Int32Array.from({ length: columns }, (_, x) => within(x - margin, width));
    const down = Int32Array.from({ length: rows }, (_, y) => within(y - margin, height) * width);
    const out = new Float64Array(columns * rows);
    for (let at = 0; at < out.length; at += 1) {
        out[at] = values[down[Math.floor(at / columns)] + across[at % columns]];
    }
    return { values: out, width: columns, height: rows };
}
