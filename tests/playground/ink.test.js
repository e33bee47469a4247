// ink.js beside the library: ink.json is what Python makes of the same pictures (scripts/make_ink_golden.py, whose
// generator of pictures is repeated here). INK_GOLDEN names another such file.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inflateSync } from "node:zlib";

import { inkImage, inkStrokes } from "../../src/deltarule/playground/static/draw/ink.js";

const golden = JSON.parse(readFileSync(process.env.INK_GOLDEN ?? new URL("ink.json", import.meta.url), "utf8"));
const digits = inflateSync(Buffer.from(golden.digits, "base64"));

class Draws {
    constructor(seed) {
        this.state = seed + 1;
    }

    below(limit) {
        this.state = this.state * 48271 % 2147483647;
        return this.state % limit;
    }
}

function enlarged(digit, side) {
    const places = Array.from({ length: side }, (_, k) => {
        const at = Math.min(Math.max(Math.floor((2 * k + 1) * 28 * 8 / side) - 8, 0), 27 * 16);
        return { low: at >> 4, high: Math.min((at >> 4) + 1, 27), part: at & 15 };
    });
    const out = new Uint8Array(side * side);
    places.forEach((row, y) => {
        for (let x = 0; x < side; x += 1) {
            const { low, high, part } = places[x];
            const upper = digit[28 * row.low + low] * (16 - part) + digit[28 * row.low + high] * part;
            const lower = digit[28 * row.high + low] * (16 - part) + digit[28 * row.high + high] * part;
            out[y * side + x] = (upper * (16 - row.part) + lower * row.part + 128) >> 8;
        }
    });
    return out;
}

function picture(seed) {
    const draws = new Draws(seed);
    const digit = digits.subarray(784 * (seed % (digits.length / 784)));
    const canvas = [28, 280, 280, 280, 280, 280, 280, 560][draws.below(8)];
    const side = canvas > 28 ? Math.floor(canvas * (30 + draws.below(71)) / 100) : 28;
    const gray = new Uint8Array(canvas * canvas);
    const [top, left] = [draws.below(canvas - side + 1), draws.below(canvas - side + 1)];
    const small = enlarged(digit, side);
    for (let y = 0; y < side; y += 1) {
        gray.set(small.subarray(y * side, (y + 1) * side), (top + y) * canvas + left);
    }
    const onPaper = canvas > 28 && draws.below(20) === 0;
    const inverted = draws.below(2) === 1;
    for (let k = 0; k < gray.length; k += 1) {
        const [x, y] = [k % canvas, (k - k % canvas) / canvas];
        if (onPaper) {
            const grain = (7 * x + 13 * y + x * y % 11 * 5) % 9 - 4;
            const light = 130 + Math.floor(60 * x / canvas) + Math.floor(40 * y / canvas);
            gray[k] = 255 - (light - Math.floor(gray[k] * 90 / 255) + grain);
        }
        gray[k] = inverted ? 255 - gray[k] : gray[k];
    }
    if (draws.below(8) !== 0) {
        return inkImage(gray, canvas, canvas);
    }
    const inset = Math.floor(side / 5); // cropped to where the digit was
    const kept = side - 2 * inset;
    const crop = new Uint8Array(kept * kept);
    for (let y = 0; y < kept; y += 1) {
        const start = (top + inset + y) * canvas + left + inset;
        crop.set(gray.subarray(start, start + kept), y * kept);
    }
    return inkImage(crop, kept, kept);
}

function drawing(seed) {
    const draws = new Draws(seed + 100000);
    return Array.from({ length: 1 + draws.below(3) }, () => {
        let [x, y] = [40 + draws.below(200) / 7, 40 + draws.below(1400) / 7];
        let [down, right] = [draws.below(61) - 30, draws.below(61) - 30];
        const points = [[x, y]];
        for (let left = draws.below(40); left > 0; left -= 1) {
            [down, right] = [down + draws.below(21) - 10, right + draws.below(21) - 10];
            [x, y] = [x + right / 9, y + down / 9];
            points.push([x, y]);
        }
        return points;
    });
}

function digest({ image, stages }) {
    if (image === null) {
        return "blank";
    }
    const hash = createHash("sha256");
    hash.update(stages.map(({ name, width, height }) => `${name} ${width}x${height};`).join(""));
    [image, ...stages.map(({ pixels }) => pixels)].forEach((pixels) => hash.update(pixels));
    return hash.digest("hex").slice(0, 8);
}

test("every picture is read as Python reads it, to the last bit", () => {
    assert.ok(golden.pictures.length >= 200);
    golden.pictures.forEach((expected, seed) => assert.equal(digest(picture(seed)), expected, `picture ${seed}`));
});

test("every drawing is read as Python reads it, to the last bit", () => {
    assert.equal(golden.drawings.length, 200);
    golden.drawings.forEach((expected, seed) => assert.equal(digest(inkStrokes(drawing(seed))), expected, `drawing ${seed}`));
});

test("several digits side by side are told from one as Python tells them", () => {
    const found = golden.pairs.map((_, seed) => {
        const other = drawing(seed + 1).map((stroke) => stroke.map(([x, y]) => [x + 20 * (seed % 15), y]));
        return Number(inkStrokes([...drawing(seed), ...other], 560).showsSeveral);
    });
    assert.deepEqual(found, golden.pairs);
    assert.deepEqual(new Set(found), new Set([0, 1]));
});

test("a stroke along the border of a photo is read as Python reads it", () => {
    golden.bars.forEach((expected, seed) => {
        const [height, pen] = [90 + 10 * seed, 5 + seed % 3];
        const width = Math.floor(height * 3 / 4);
        const gray = Uint8Array.from({ length: width * height }, (_, k) => {
            const [x, y] = [k % width, Math.floor(k / width)];
            const slope = 4 * x + 3 * y;
            const isInked = y < pen || (slope >= 3 * height - 5 * pen && slope < 3 * height);
            return 150 + Math.floor((seed % 4) * 20 * x / height) - 90 * isInked + (7 * x + 13 * y) % 5;
        });
        assert.equal(digest(inkImage(gray, width, height)), expected, `bar ${seed}`);
    });
});

test("what is blank is no digit", () => {
    for (const value of [0, 128, 255]) {
        assert.equal(inkImage(new Uint8Array(280 * 280).fill(value), 280, 280).image, null);
    }
    assert.equal(inkStrokes([]).image, null);
    assert.equal(inkStrokes([[]]).image, null);
    assert.equal(inkStrokes([[[140, 140]]]).image, null);
});

test("a point that is no pair of finite numbers is refused", () => {
    for (const point of [[NaN, 3], [3, Infinity], [3], [1, 2, 3]]) {
        assert.throws(() => inkStrokes([[[0, 0], point]]), RangeError);
    }
});
