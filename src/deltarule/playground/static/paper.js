// Ink told from paper: data/paper.py of the library, in the same order of the same float64 arithmetic.

const MOST_PIXELS = 512;
const FAINTEST = 16;
const FAINTEST_ON_PAPER = 20;
const PLAIN = 1 / 32;
const BRUSH = 8;
const GRAIN = 1.4826;
const SPECK = 1 / 20;

/**
 * How dark each pixel's ink is, 0..255, { values, width, height }; null where there is no ink. A picture with more than
 * 512 pixels on a side is returned smaller.
 */
export function foundInk(gray, width, height) {
    const level = averagedDown(gray, width, height);
    const ground = border(level);
    const median = middle(ground);
    const unrest = quantile(ground.map((value) => Math.abs(value - median)), 3, 4);
    const [least, most] = extremes(level.values);
    const [darker, lighter] = [median - least, most - median];
    const contrast = Math.max(darker, lighter);
    if (unrest > contrast * PLAIN) {
        return inkOnPaper(level);
    }
    if (contrast < FAINTEST) {
        return null;
    }
    const depth = (value) => (darker >= lighter ? median - value : value - median);
    return { ...level, values: level.values.map((value) => Math.max(depth(value) - 2 * unrest, 0)) };
}

/** The picture with at most 512 pixels on its longer side: means of whole squares, smaller ones at the far edges. */
function averagedDown(gray, width, height) {
    const factor = Math.ceil(Math.max(width, height) / MOST_PIXELS);
    const [columns, rows] = [Math.ceil(width / factor), Math.ceil(height / factor)];
    const values = new Float64Array(columns * rows);
    for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
            values[Math.floor(y / factor) * columns + Math.floor(x / factor)] += gray[y * width + x];
        }
    }
    const cell = (index, side) => Math.min(factor, side - index * factor);
    values.forEach((sum, index) => {
        values[index] = sum / (cell(Math.floor(index / columns), height) * cell(index % columns, width));
    });
    return { values, width: columns, height: rows };
}

/** The outermost pixels, corners twice. */
function border({ values, width, height }) {
    const found = [];
    for (let x = 0; x < width; x += 1) {
        found.push(values[x], values[(height - 1) * width + x]);
    }
    for (let y = 0; y < height; y += 1) {
        found.push(values[y * width], values[(y + 1) * width - 1]);
    }
    return Float64Array.from(found);
}

/** The value below or at which part / parts of the values lie: one of them, nothing in between. */
function quantile(values, part, parts) {
    return values.toSorted()[Math.floor((values.length - 1) * part / parts)];
}

function middle(values) {
    return quantile(values, 1, 2);
}

function extremes(values) {
    let [least, most] = [Infinity, -Infinity];
    for (const value of values) {
        least = Math.min(least, value);
        most = Math.max(most, value);
    }
    return [least, most];
}

/** Ink on paper in uneven light; null where nothing stands out from the paper and its grain. */
function inkOnPaper(level) {
    const smooth = smoothed(level);
    const radius = Math.floor(Math.max(level.width, level.height) / BRUSH) + 1;
    const closed = extreme(Math.min, extreme(Math.max, smooth, radius), radius);
    const opened = extreme(Math.max, extreme(Math.min, smooth, radius), radius);
    const dark = closed.values.map((value, index) => value - smooth.values[index]);
    const light = smooth.values.map((value, index) => value - opened.values[index]);
    const depth = energy(dark) >= energy(light) ? dark : light;
    const base = middle(depth);
    const grain = GRAIN * middle(depth.map((value) => Math.abs(value - base)));
    const peak = extremes(depth)[1] - base;
    if (peak < FAINTEST_ON_PAPER || peak < 8 * grain) {
        return null;
    }
    const least = Math.max(4 * grain, 0.25 * peak);
    const mask = Uint8Array.from(depth, (value) => (value - base > least ? 1 : 0));
    const kept = withoutSpecks(mask, level.width, level.height);
    const full = middle(depth.filter((_, index) => kept[index])) - base;
    return {
        ...level,
        values: depth.map((value, index) => (kept[index] ? Math.min(255 * ((value - base) / full), 255) : 0)),
    };
}

/** The mean of each pixel and its eight neighbors; beyond the border lies a copy of it. */
function smoothed({ values, width, height }) {
    const at = (x, y) => values[Math.min(Math.max(y, 0), height - 1) * width + Math.min(Math.max(x, 0), width - 1)];
    const column = (x, y) => at(x, y - 1) + at(x, y) + at(x, y + 1);
    const out = new Float64Array(values.length);
    for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
            out[y * width + x] = (column(x - 1, y) + column(x, y) + column(x + 1, y)) / 9;
        }
    }
    return { values: out, width, height };
}

/** The largest or smallest (`chosen`) in a square of that radius around each pixel, as far as it lies within. */
function extreme(chosen, { values, width, height }, radius) {
    const out = Float64Array.from(values);
    for (let y = 0; y < height; y += 1) {
        along(chosen, out, y * width, 1, width, radius);
    }
    for (let x = 0; x < width; x += 1) {
        along(chosen, out, x, width, height, radius);
    }
    return { values: out, width, height };
}

/** The same along one line of `count` values, from `start` on in steps of `stride`, in place. */
function along(chosen, values, start, stride, count, radius) {
    let line = new Float64Array(count + 2 * radius).fill(chosen(-Infinity, Infinity) < 0 ? Infinity : -Infinity);
    for (let k = 0; k < count; k += 1) {
        line[radius + k] = values[start + k * stride];
    }
    let span = 1;
    while (2 * span <= 2 * radius + 1) { // line[k] speaks for the values from k to k + span - 1
        const step = span;
        line = line.subarray(0, line.length - step).map((value, k) => chosen(value, line[k + step]));
        span *= 2;
    }
    const rest = 2 * radius + 1 - span;
    for (let k = 0; k < count; k += 1) {
        values[start + k * stride] = chosen(line[k], line[k + rest]);
    }
}

/** The sum of squares, of whole levels. */
function energy(depth) {
    return depth.reduce((sum, value) => sum + Math.floor(value) ** 2, 0);
}

/** The pieces of a mask, joined across corners, too, without those that are far smaller than the largest. */
function withoutSpecks(mask, width, height) {
    const piece = new Int32Array(mask.length).fill(-1);
    const areas = [];
    for (let index = 0; index < mask.length; index += 1) {
        if (mask[index] && piece[index] < 0) {
            areas.push(fill(mask, piece, width, height, index, areas.length));
        }
    }
    const least = SPECK * areas.reduce((most, area) => Math.max(most, area), 0);
    return mask.map((inside, index) => (inside && areas[piece[index]] >= least ? 1 : 0));
}

/** Gives every pixel of the piece around `first` its number; how many there are. */
function fill(mask, piece, width, height, first, number) {
    const waiting = [first];
    let area = 0;
    piece[first] = number;
    while (waiting.length > 0) {
        const index = waiting.pop();
        const [x, y] = [index % width, Math.floor(index / width)];
        area += 1;
        for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row += 1) {
            for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column += 1) {
                const next = row * width + column;
                if (mask[next] && piece[next] < 0) {
                    piece[next] = number;
                    waiting.push(next);
                }
            }
        }
    }
    return area;
}
