// Separates ink from paper: data/ink/detection.py of the library, in the same order of the same float64 arithmetic.

import { border, extreme, extremes, framed, middle, quantile, smoothed } from "./planes.js";

const MOST_PIXELS = 512;
const FAINTEST = 16;
const FAINTEST_ON_PAPER = 20;
const PLAIN = 1 / 32;
const QUIET = 1 / 64;
const BLOT = 6;
const BRUSH = 12;
const SPLIT = 0.85;
const CROPPED = 1 / 8;
const GROUND = 0.3;
const ALONG = 0.7;
const GRAIN = 1.4826;
const SPECK = 1 / 20;
const STROKE = 0.35;
const GAP = 0.12;
const WIDE = 1.2;
const TALL = 0.5;

/**
 * How dark each pixel's ink is, 0..255, { values, width, height }; null if there is no ink. A picture with more than
 * 512 pixels on a side is returned smaller.
 */
export function foundInk(gray, width, height) {
    const level = averagedDown(gray, width, height);
    const [ground, unrest] = plainGround(level);
    const [least, most] = extremes(level.values);
    const [darker, lighter] = [ground - least, most - ground];
    const contrast = Math.max(darker, lighter);
    if (unrest > contrast * PLAIN) {
        return inkOfCrop(level) ?? inkOnPaper(level);
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
    const apart = level.values.map((value) => Math.abs(value - often));
    const [nNear, nAround, nFar] = [(each) => each <= near, (each) => each <= 4 * near, (each) => each >= span / 2]
        .map((isCounted) => apart.reduce((count, each) => count + Number(isCounted(each)), 0));
    const dark = apart.map((each) => Number(each > span / 4));
    const size = apart.length;
    const isTold = 10 * nNear >= 9 * nAround && 10 * (nNear + nFar) >= 6 * size && 5 * nNear >= size;
    return isTold && !hasArea({ ...level, values: dark }) ? [often, near / 2] : [ground, unrest];
}

/** Whether a mask of zeros and ones holds a square of a third of the longer side. */
function hasArea({ values, width, height }) {
    const radius = Math.floor(Math.max(width, height) / BLOT) + 1;
    const solid = extreme(-1, { values, width, height }, radius).values; // correct if the square lies within
    const isWithin = (place, side) => place >= radius && place < side - radius;
    return solid.some((value, at) => value > 0 && isWithin(at % width, width) && isWithin(Math.floor(at / width), height));
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
    const [columns, rows] = [Math.ceil(width / factor), Math.ceil(height / factor)];
    const [sums, counts] = [new Float64Array(columns * rows), new Float64Array(columns * rows)];
    gray.forEach((value, at) => {
        const cell = Math.floor(at / width / factor) * columns + Math.floor((at % width) / factor);
        sums[cell] += value;
        counts[cell] += 1;
    });
    return { values: sums.map((sum, cell) => sum / counts[cell]), width: columns, height: rows };
}

/** Ink of a photo that is cropped to it; null if there is more than ink and paper, or little ink. */
function inkOfCrop(level) {
    const even = smoothed(level);
    const counts = new Float64Array(256);
    even.values.forEach((value) => (counts[Math.floor(value)] += 1));
    const n = even.values.length;
    const total = counts.reduce((sum, count, at) => sum + count * at, 0);
    const variance = counts.reduce((sum, count, at) => sum + count * at * at, 0) * n - total * total;
    let [below, mass, best, most] = [0, 0, 0, -1];
    counts.forEach((count, at) => {
        below += count;
        mass += count * at;
        const apart = total * below - mass * n;
        const between = apart * apart / Math.max(below * (n - below), 1);
        [best, most] = between > most ? [at, between] : [best, most];
    });
    const around = border(even);
    const isDark = 2 * around.filter((value) => value < best + 1).length < around.length;
    const mask = even.values.map((value) => (value < best + 1 === isDark ? 1 : 0));
    const nInk = mask.reduce((sum, each) => sum + each, 0);
    if (most < SPLIT * variance || nInk < CROPPED * n || nInk > (1 - CROPPED) * n || hasArea({ ...even, values: mask })) {
        return null;
    }
    const [paper, full] = [0, 1].map((side) => middle(even.values.filter((_, at) => mask[at] === side)));
    const depths = even.values.map((value) => (value - paper) / (full - paper));
    return { ...level, values: depths.map((depth) => (depth > GROUND ? Math.min(255 * depth, 255) : 0)) };
}

/** Ink on paper in uneven light; null if nothing stands out from the paper and its grain. */
function inkOnPaper(level) {
    const smooth = smoothed(level);
    const radius = Math.floor(Math.max(level.width, level.height) / BRUSH) + 1;
    const sign = isDark(smooth, radius) ? -1 : 1;
    const raised = { ...smooth, values: smooth.values.map((value) => -sign * value) };
    const deepness = (mirrored) => {
        const closed = extreme(-1, extreme(1, framed(raised, 2 * radius, mirrored), radius), radius);
        return smooth.values.map((value, k) => {
            const [x, y] = [k % level.width, Math.floor(k / level.width)];
            return closed.values[(y + 2 * radius) * closed.width + x + 2 * radius] + sign * value;
        });
    };
    let depth = deepness(false);
    const base = middle(depth);
    const grain = GRAIN * middle(depth.map((value) => Math.abs(value - base)));
    const peak = extremes(depth)[1] - base;
    if (peak < FAINTEST_ON_PAPER || peak < 8 * grain) {
        return null;
    }
    const least = Math.max(4 * grain, 0.25 * peak);
    const isInked = () => Uint8Array.from(depth, (value) => (value - base > least ? 1 : 0));
    const within = isInked();
    const mirrored = deepness(true);
    depth = depth.map((value, k) => (mirrored[k] - base >= ALONG * peak ? mirrored[k] : value));
    const kept = withoutSpecks(isInked(), level.width, level.height, within);
    const full = middle(depth.filter((_, index) => kept[index])) - base;
    const values = depth.map((value, index) => (kept[index] ? Math.min(255 * ((value - base) / full), 255) : 0));
    return { ...level, values };
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

/** The pieces of a mask, joined across corners, too, without those that hold far fewer of the `counted` than others. */
function withoutSpecks(mask, width, height, counted = mask) {
    const piece = new Int32Array(mask.length).fill(-1);
    const areas = [];
    for (let index = 0; index < mask.length; index += 1) {
        if (mask[index] && piece[index] < 0) {
            areas.push(fill(mask, piece, width, height, index, areas.length, counted));
        }
    }
    const least = SPECK * areas.reduce((most, area) => Math.max(most, area), 0);
    return mask.map((inside, index) => (inside && areas[piece[index]] >= least ? 1 : 0));
}

/** Whether ink looks like digits side by side: two groups of strokes, both tall, with paper between them. */
export function hasSeveral({ values, width, height }) {
    const least = STROKE * extremes(values)[1];
    const kept = withoutSpecks(values.map((value) => (value >= least ? 1 : 0)), width, height);
    const columns = Array.from({ length: width }, (_, x) => {
        const column = new Uint8Array(height).map((_, y) => kept[y * width + x]);
        return { x, top: column.indexOf(1), bottom: column.lastIndexOf(1) };
    }).filter(({ bottom }) => bottom >= 0);
    const tall = (group) => Math.max(...group.map(({ bottom }) => bottom)) - Math.min(...group.map(({ top }) => top)) + 1;
    const whole = tall(columns);
    const gap = (columns[columns.length - 1].x - columns[0].x + 1 < WIDE * whole ? GAP : 0) * whole + 1;
    const starts = columns.map((_, k) => k).filter((k) => k === 0 || columns[k].x - columns[k - 1].x > gap);
    return starts.filter((start, k) => tall(columns.slice(start, starts[k + 1])) >= TALL * whole).length > 1;
}

/** Gives every pixel of the piece around `first` its number; how many of the `counted` there are. */
function fill(mask, piece, width, height, first, number, counted) {
    const waiting = [first];
    let area = 0;
    piece[first] = number;
    while (waiting.length > 0) {
        const index = waiting.pop();
        const [x, y] = [index % width, Math.floor(index / width)];
        area += counted[index];
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
