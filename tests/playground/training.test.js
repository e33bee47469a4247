// train/local.js and ink.js: the digits that a page of one file brings along, and a network that learns them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { digitsOf, LocalRun } from "../../src/deltarule/playground/static/train/local.js";
import "./cases.js";

const digits = digitsOf(Uint8Array.from(readFileSync(process.env.DIGITS)));
const images = readFileSync(process.env.IMAGES);
const how = { digits, hidden: [32], rate: 0.003, epochs: 10, batchSize: 32, seed: 1 };

test("the digits are made of their cells as the library's were, and split alike", () => {
    let at = 0;
    for (const { inputs, targets } of digits) {
        const others = new Set();
        inputs.forEach((value, index) => Math.abs(value - images[at + index]) > 1 && others.add(Math.floor(index / 784)));
        assert.ok(others.size <= 2, `${others.size} images differ`); // in float64, where the library's are made in float32
        at += inputs.length + targets.length;
        assert.deepEqual([...targets].map(Number), [...images.subarray(at - targets.length, at)]);
    }
    assert.equal(at, images.length);
});

test("ten epochs of 784-32-10 read 93 % of the digits that were held out", () => {
    for (const seed of [1, 2, 3]) {
        const run = new LocalRun({ ...how, seed });
        const before = run.frame();
        run.take(450);
        const after = run.frame();
        assert.ok(before.accuracy < 0.3 && after.accuracy >= 0.93, `seed ${seed}: ${before.accuracy} to ${after.accuracy}`);
        assert.ok(run.isOver && after.step === 450 && after.epoch === 10);
        assert.deepEqual(after.arrays.epochs.shape, [10, 2]);
    }
});

test("steps taken one by one are those taken at once, and another seed takes others", () => {
    const end = (seed, ...takes) => {
        const run = new LocalRun({ ...how, epochs: 2, seed });
        takes.forEach((count) => run.take(count));
        return [...run.frame().network.weights[1]];
    };
    assert.deepEqual(end(1, 50), end(1, 1, 2, 40, 7));
    assert.notDeepEqual(end(1, 50), end(2, 50));
});

test("a rate that breaks the run ends it", () => {
    for (const rate of [1e9, Infinity]) {
        const run = new LocalRun({ ...how, rate });
        run.take(45);
        const { isOver, isLost, batch_loss: loss } = run.frame();
        assert.ok(isOver && isLost && !(loss < 2000), `${rate}: ${loss}`);
    }
});
