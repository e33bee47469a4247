// A drawing, or a picture of one, made into the 28x28 pixels that MNIST would have made of it: data/ink of the
// library, in the same order of the same float64 arithmetic, so that every byte is the same.

import { foundInk, hasSeveral } from "./paper.js";
import { extremes } from "./planes.js";

const SIDE = 28;
const INK_SIDE = 20;
const CENTER = 14;
const PEN = 2.5;
const PAD_SIDE = 280;
const FEWEST_PIXELS = 5;
const DOT = 1 / 40;
const EDGE = 0.35;
const FULL_INK = 254;
const SKETCH_SIDE = 56;
const [NO_INK, SOLID_INK] = [0.3, 0.9]; // between cells of a scan

/**
 * @typedef {{name: string, width: number, height: number, pixels: Uint8ClampedArray}} Stage  ink white on black
 * @typedef {{image: Uint8ClampedArray|null, stages: Stage[], showsSeveral?: boolean}} Reading  image: 784 values 0..255,
 *     null for no digit; showsSeveral: whether it looks like digits side by side
 * @typedef {{values: Float64Array, width: number, height: number}} Plane
 */

/**
 * A picture of one digit: `gray` holds width * height values 0..255, dark on light or light on dark.
 * @returns {Reading}
 */
export function inkImage(gray, width, height) {
    const ink = foundInk(gray, width, height);
    const box = ink === null ? { width: 0, height: 0 } : inkBox(ink);
    if (Math.max(box.width, box.height) < FEWEST_PIXELS) {
        return { image: null, stages: [] };
    }
    const crop = cropped(ink, box);
    const seen = [{ name: "ink found", ...shown(ink) }, { name: "crop", ...shown(crop) }];
    return readingOf(seen, inTwenty(crop), hasSeveral(ink));
}

/** What is read of ink whose longer side is 20 pixels, after the stages that led there. */
function readingOf(seen, small, showsSeveral) {
    const image = centered(small);
    const stages = [...seen, { name: "20x20", ...small }, { name: "centered", ...image }];
    return { image: image.pixels, showsSeveral, stages };
}

/**
 * What was drawn on a pad of `size` pixels: `strokes` is a list of lists of points [x, y], y downwards.
 * @returns {Reading}
 */
export function inkStrokes(strokes, size = PAD_SIDE) {
    const paths = strokes.filter((stroke) => stroke.length > 0);
    const points = paths.flat();
    const wrong = points.find((point) => point.length !== 2 || !point.every(Number.isFinite));
    if (wrong) {
        throw new RangeError(`a stroke must be points [x, y] of finite numbers: got ${JSON.stringify(wrong)}`);
    }
    const [[left, right], [top, bottom]] = [0, 1].map((axis) => extremes(points.map((point) => point[axis])));
    const extent = Math.max(right - left, bottom - top);
    if (!(extent >= size * DOT)) {
        return { image: null, stages: [] };
    }
    const scale = (INK_SIDE - PEN) / extent;
    const [width, height] = [right - left, bottom - top].map((side) => Math.ceil(Math.min(INK_SIDE, side * scale + PEN)));
    const moved = paths.map((path) => path.map(([x, y]) => [(x - left) * scale + PEN / 2, (y - top) * scale + PEN / 2]));
    const small = inked(moved, width, height, PEN / 2);
    const grain = SKETCH_SIDE / size;
    const coarse = paths.map((path) => path.map(([x, y]) => [x * grain, y * grain]));
    const sketch = inked(coarse, SKETCH_SIDE, SKETCH_SIDE, PEN * SKETCH_SIDE / SIDE / 2);
    const stages = [{ name: "ink found", ...sketch }];
    let showsSeveral = false;
    if (sketch.pixels.some((value) => value > 0)) {
        const plane = { ...sketch, values: Float64Array.from(sketch.pixels) };
        stages.push({ name: "crop", ...bytesOf(cropped(plane, inkBox(plane))) });
        showsSeveral = hasSeveral(plane);
    }
    return readingOf(stages, small, showsSeveral);
}

/** The image, 784 values 0..255, that MNIST would have made of 8x8 cells of 0 to 16 parts of ink: scripts/make_digits.py. */
export function cellsImage(cells) {
    const fine = transposed(enlarged(transposed(enlarged({ values: new Float64Array(cells), width: 8, height: 8 }))));
    const values = fine.values.map((each) => Math.max(0, Math.min(1, (each / 16 - NO_INK) / (SOLID_INK - NO_INK))));
    const ink = { ...fine, values };
    return centered(inTwenty(cropped(ink, boxOf(ink, Number.MIN_VALUE)))).pixels;
}

/** What each of 8 rows gives to each of the 72 that are made of them, by Catmull-Rom's cubic: half a row more at each end. */
const SHARES = Float64Array.from({ length: 72 * 8 }, (_, at) => {
    const far = Math.abs((Math.floor(at / 8) + 0.5) / 8 - 1 - (at % 8));
    return far < 1 ? (1.5 * far - 2.5) * far * far + 1 : far < 2 ? ((2.5 - 0.5 * far) * far - 4) * far + 2 : 0;
});

/** 72 rows of 8. */
function enlarged({ values, width }) {
    const out = new Float64Array(72 * width);
    for (let at = 0; at < SHARES.length; at += 1) {
        const share = SHARES[at];
        for (let x = 0, to = (at >> 3) * width, from = (at & 7) * width; share !== 0 && x < width; x += 1) {
            out[to + x] += share * values[from + x];
        }
    }
    return { values: out, width, height: 72 };
}

/** The box that holds the ink; in a picture finer than MNIST's, only dark enough pixels are ink. */
function inkBox(ink) {
    const whole = boxOf(ink, Number.MIN_VALUE);
    return Math.max(whole.width, whole.height) <= INK_SIDE ? whole : boxOf(ink, EDGE * extremes(ink.values)[1]);
}

/** From the first row and column with a value of at least `least` to the last. */
function boxOf({ values, width, height }, least) {
    let [left, right, top, bottom] = [width, -1, height, -1];
    for (let at = 0; at < values.length; at += 1) {
        if (values[at] >= least) {
            left = Math.min(left, at % width);
            right = Math.max(right, at % width);
            bottom = Math.floor(at / width);
            top = Math.min(top, bottom);
        }
    }
    return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function cropped(ink, { left, top, width, height }) {
    const values = new Float64Array(width * height);
    for (let y = 0; y < height; y += 1) {
        const start = (top + y) * ink.width + left;
        values.set(ink.values.subarray(start, start + width), y * width);
    }
    return { values, width, height };
}

/** Cropped ink with a longer side of 20 pixels, its darkest 255. */
function inTwenty(ink) {
    const longer = Math.max(ink.width, ink.height);
    const sides = [ink.width, ink.height].map((side) => Math.max(1, Math.floor((2 * INK_SIDE * side + longer) / (2 * longer))));
    return shown(longer === INK_SIDE ? ink : scaled(ink, ...sides));
}

/** A picture as a model reads it that learned images as they are: 28x28 gray values, its sides each on their own. */
export function grayImage(gray, width, height) {
    const image = bytesOf(scaled({ values: Float64Array.from(gray), width, height }, SIDE, SIDE));
    return { image: image.pixels, stages: [{ name: "as it is", ...image }] };
}

/** Ink with its darkest at 255, as whole numbers. */
function shown(ink) {
    const peak = extremes(ink.values)[1];
    const factor = 255 / peak;
    return bytesOf(peak >= FULL_INK ? ink : { ...ink, values: ink.values.map((value) => value * factor) });
}

function bytesOf({ values, width, height }) {
    return { width, height, pixels: new Uint8ClampedArray(values.map((value) => Math.floor(value + 0.5))) };
}

function transposed({ values, width, height }) {
    const turned = new Float64Array(values.length);
    for (let at = 0, x = 0; x < width; x += 1) {
        for (let from = x; from < values.length; from += width, at += 1) {
            turned[at] = values[from];
        }
    }
    return { values: turned, width: height, height: width };
}

const scaled = (plane, width, height) => transposed(resized(transposed(resized(plane, height)), width));

/** Ink of another height: fewer rows by area averaging, more by linear interpolation. */
function resized({ values, width, height }, rows) {
    const step = height / rows;
    const out = new Float64Array(rows * width);
    for (let i = 0; i < rows; i += 1) {
        const [start, end] = [i * step, (i + 1) * step];
        const middle = Math.min(Math.max((i + 0.5) * step - 0.5, 0), height - 1);
        const first = Math.floor(step >= 1 ? start : middle);
        const terms = step >= 1 ? Math.ceil(step) + 1 : 2;
        for (let row = first; row < Math.min(first + terms, height); row += 1) {
            const share = step >= 1
                ? Math.max(Math.min(row + 1, end) - Math.max(row, start), 0) / step
                : 1 - Math.abs(middle - row);
            for (let x = 0; x < width; x += 1) {
                out[i * width + x] += share * values[row * width + x];
            }
        }
    }
    return { values: out, width, height: rows };
}

/** Where ink of that `mass` along an axis begins, so that its rounded center is at 14 and none of it is cut off. */
function beginning(mass) {
    let [total, moment] = [0, 0];
    mass.forEach((value, index) => {
        total += value;
        moment += value * index;
    });
    const middle = Math.floor((2 * moment + total) / (2 * total));
    return Math.min(Math.max(CENTER - middle, 0), SIDE - mass.length);
}

/** A 28x28 image of ink of at most 20x20 pixels. */
function centered({ pixels, width, height }) {
    const rows = new Float64Array(height);
    const columns = new Float64Array(width);
    pixels.forEach((value, index) => {
        rows[Math.floor(index / width)] += value;
        columns[index % width] += value;
    });
    const [top, left] = [beginning(rows), beginning(columns)];
    const image = new Uint8ClampedArray(SIDE * SIDE);
    for (let y = 0; y < height; y += 1) {
        image.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * SIDE + left);
    }
    return { width: SIDE, height: SIDE, pixels: image };
}

/** Paths drawn by a round pen; a pixel on its rim is inked in part. */
function inked(paths, width, height, radius) {
    const nearest = new Float64Array(width * height).fill(Infinity);
    for (const path of paths) {
        for (let k = 0; k < Math.max(path.length - 1, 1); k += 1) {
            approach(nearest, width, height, radius + 1, path[k], path[Math.min(k + 1, path.length - 1)]);
        }
    }
    const values = nearest.map((squared) => 255 * Math.min(Math.max(radius + 0.5 - Math.sqrt(squared), 0), 1));
    return bytesOf({ values, width, height });
}

/** Lowers the squared distances of pixels within `reach` of a segment if it is the nearest so far. */
function approach(nearest, width, height, reach, [fromX, fromY], [toX, toY]) {
    const [right, down] = [toX - fromX, toY - fromY];
    const length = right * right + down * down;
    const firstRow = Math.max(0, Math.floor(Math.min(fromY, toY) - reach - 0.5));
    const lastRow = Math.min(height - 1, Math.ceil(Math.max(fromY, toY) + reach - 0.5));
    const firstColumn = Math.max(0, Math.floor(Math.min(fromX, toX) - reach - 0.5));
    const lastColumn = Math.min(width - 1, Math.ceil(Math.max(fromX, toX) + reach - 0.5));
    for (let row = firstRow; row <= lastRow; row += 1) {
        for (let column = firstColumn; column <= lastColumn; column += 1) {
            const [x, y] = [column + 0.5, row + 0.5];
            const along = Math.min(Math.max(((x - fromX) * right + (y - fromY) * down) / (length || 1), 0), 1);
            const beside = x - (fromX + along * right);
            const below = y - (fromY + along * down);
            const at = row * width + column;
            nearest[at] = Math.min(nearest[at], beside * beside + below * below);
        }
    }
}
