// Ink told from paper: data/ink/detection.py of the library, in the same order of the same float64 arithmetic.

const MOST_PIXELS = 512;
const FAINTEST = 16;
const FAINTEST_ON_PAPER = 20;
const PLAIN = 1 / 32;
const QUIET = 1 / 64;
const BLOT = 6;
const BRUSH = 12;
const GRAIN = 1.4826;
const SPECK = 1 / 20;

/**
 * How dark each pixel's ink is, 0..255, { values, width, height }; null where there is no ink. A picture with more than
 * 512 pixels on a side is returned smaller.
 */
export function foundInk(gray, width, height) {
    const level = averagedDown(gray, width, height);
    const [ground, unrest] = plainGround(level);
    const [least, most] = extremes(level.values);
    const [darker, lighter] = [ground - least, most - ground];
    const contrast = Math.max(darker, lighter);
    if (unrest > contrast * PLAIN) {
        return inkOnPaper(level);
    }
    if (contrast < FAINTEST) {
        return null;
    }
    const depth = (value) => (darker >= lighter ? ground - value : value - ground);
    return { ...level, values: level.values.map((value) => Math.max(depth(value) - 2 * unrest, 0)) };
}

/** The level of a plain ground, and by how much three quarters of it stay from there at most; a photo's is large. */
function plainGround(level) {
    const around = border(level);
    const ground = middle(around);
    const [least, most] = extremes(level.values);
    const span = most - least;
    const unrest = quantile(around.map((value) => Math.abs(value - ground)), 3, 4);
    const near = span * QUIET;
    if (unrest <= span * PLAIN / 2) {
        return [ground, unrest];
    }
    const often = mostFrequent(around.toSorted(), near);
    let [nNear, nAround, nFar] = [0, 0, 0];
    const dark = new Float64Array(level.values.length);
    for (let k = 0; k < level.values.length; k += 1) {
        const apart = Math.abs(level.values[k] - often);
        nNear += apart <= near ? 1 : 0;
        nAround += apart <= 4 * near ? 1 : 0;
        nFar += apart >= span / 2 ? 1 : 0;
        dark[k] = apart > span / 4 ? 1 : 0;
    }
    const size = level.values.length;
    const isTold = 10 * nNear >= 9 * nAround && 10 * (nNear + nFar) >= 6 * size && 5 * nNear >= size;
    return isTold && !hasArea({ ...level, values: dark }) ? [often, near / 2] : [ground, unrest];
}

/** Whether a mask of zeros and ones holds a square of a third of the longer side. */
function hasArea({ values, width, height }) {
    const radius = Math.floor(Math.max(width, height) / BLOT) + 1;
    const columns = width + 2 * radius;
    const wide = new Float64Array(columns * (height + 2 * radius));
    for (let y = 0; y < height; y += 1) {
        wide.set(values.subarray(y * width, (y + 1) * width), (y + radius) * columns + radius);
    }
    return extreme(-1, { values: wide, width: columns, height: height + 2 * radius }, radius).values.some((value) => value > 0);
}

/** The first of the sorted values that has the most others within `near` of it. */
function mostFrequent(values, near) {
    let [often, most, first, end] = [values[0], 0, 0, 0];
    for (const value of values) {
        while (values[first] < value - near) {
            first += 1;
        }
        while (end < values.length && values[end] <= value + near) {
            end += 1;
        }
        if (end - first > most) {
            [often, most] = [value, end - first];
        }
    }
    return often;
}

/** The picture with at most 512 pixels on its longer side: means of whole squares, smaller ones at the far edges. */
function averagedDown(gray, width, height) {
    const factor = Math.ceil(Math.max(width, height) / MOST_PIXELS);
    if (factor === 1) {
        return { values: new Float64Array(gray), width, height };
    }
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

/** [the least, the largest] of some values. */
export function extremes(values) {
    let [least, most] = [Infinity, -Infinity];
    for (let k = 0; k < values.length; k += 1) {
        least = Math.min(least, values[k]);
        most = Math.max(most, values[k]);
    }
    return [least, most];
}

/** Ink on paper in uneven light; null where nothing stands out from the paper and its grain. */
function inkOnPaper(level) {
    const smooth = smoothed(level);
    const radius = Math.floor(Math.max(level.width, level.height) / BRUSH) + 1;
    const sign = isDark(smooth, radius) ? -1 : 1;
    const raised = framed({ ...smooth, values: smooth.values.map((value) => -sign * value) }, 2 * radius);
    const closed = extreme(-1, extreme(1, raised, radius), radius);
    const depth = new Float64Array(smooth.values.length);
    for (let k = 0; k < depth.length; k += 1) {
        const [x, y] = [k % level.width, Math.floor(k / level.width)];
        depth[k] = closed.values[(y + 2 * radius) * closed.width + x + 2 * radius] + sign * smooth.values[k];
    }
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
function extreme(sign, { values, width, height }, radius) {
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

/** The same plane within a frame of copies of its border. */
function framed({ values, width, height }, margin) {
    const [columns, rows] = [width + 2 * margin, height + 2 * margin];
    const out = new Float64Array(columns * rows);
    for (let y = 0; y < rows; y += 1) {
        const row = Math.min(Math.max(y - margin, 0), height - 1) * width;
        for (let x = 0; x < columns; x += 1) {
            out[y * columns + x] = values[row + Math.min(Math.max(x - margin, 0), width - 1)];
        }
    }
    return { values: out, width: columns, height: rows };
}

/** Whether the few pixels that differ most from the mean around them are the darker ones. */
function isDark({ values, width, height }, radius) {
    const sums = new Float64Array((width + 1) * (height + 1));
    const at = (x, y) => sums[y * (width + 1) + x];
    for (let y = 1; y <= height; y += 1) {
        let row = 0;
        for (let x = 1; x <= width; x += 1) {
            row += Math.floor(values[(y - 1) * width + x - 1]);
            sums[y * (width + 1) + x] = at(x, y - 1) + row;
        }
    }
    let skewness = 0;
    for (let y = 0; y < height; y += 1) {
        const [top, bottom] = [Math.max(y - radius, 0), Math.min(y + radius + 1, height)];
        for (let x = 0; x < width; x += 1) {
            const [left, right] = [Math.max(x - radius, 0), Math.min(x + radius + 1, width)];
            const around = at(right, bottom) - at(right, top) - at(left, bottom) + at(left, top);
            const apart = Math.trunc(Math.floor(values[y * width + x]) - around / ((bottom - top) * (right - left)));
            skewness += apart * apart * apart;
        }
    }
    return skewness <= 0;
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
