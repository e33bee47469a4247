// train/run.js and ink.js: the digits that a page of one file brings along, and a network that learns them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { lossesAt } from "../../src/deltarule/playground/static/draw/surface.js";
import { nearest, teach } from "../../src/deltarule/playground/static/train/lesson.js";
import { digitsOf, LocalRun } from "../../src/deltarule/playground/static/train/run.js";
import { hasOneInput, pointsIn, pointsOf, pointsText, samplesOf, snapped, WORLDS } from "../../src/deltarule/playground/static/train/worlds.js";
import "./cases.js";

const digits = digitsOf(Uint8Array.from(readFileSync(process.env.DIGITS)));
const images = readFileSync(process.env.IMAGES);
const how = { hidden: [32], activation: "relu", loss: "cross_entropy", optimizer: "adam", schedule: "constant", rate: 0.003, epochs: 10, batch: 32, seed: 1 };

test("the digits are made of their cells as the library's were, and split alike", () => {
    const { inputs, targets, n_train: count } = digits;
    let at = 0;
    for (const [from, to] of [[0, count], [count, targets.length]]) {
        const others = new Set();
        inputs.subarray(784 * from, 784 * to).forEach((value, index) => Math.abs(value - images[at + index]) > 1 && others.add(Math.floor(index / 784)));
        assert.ok(others.size <= 2, `${others.size} images differ`); // in float64, where the library's are made in float32
        at += 785 * (to - from);
        assert.deepEqual([...targets.subarray(from, to)].map(Number), [...images.subarray(at - (to - from), at)]);
    }
    assert.equal(at, images.length);
});

test("ten epochs of 784-32-10 read 93 % of the digits that were held out", () => {
    for (const seed of [1, 2, 3]) {
        const run = new LocalRun({ ...how, seed }, digits);
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
        const run = new LocalRun({ ...how, epochs: 2, seed }, digits);
        takes.forEach((count) => run.take(count));
        return [...run.frame().network.weights[1]];
    };
    assert.deepEqual(end(1, 50), end(1, 1, 2, 40, 7));
    assert.notDeepEqual(end(1, 50), end(2, 50));
});

test("a rate that breaks the run ends it", () => {
    for (const rate of [1e9, Infinity]) {
        const run = new LocalRun({ ...how, rate }, digits);
        run.take(45);
        const { isOver, isLost, batch_loss: loss } = run.frame();
        assert.ok(isOver && isLost && !(loss < 2000), `${rate}: ${loss}`);
    }
});

test("every world of two numbers is learned, by a line only if it is straight", () => {
    const settings = { ...how, rate: 0.01, batch: 16, epochs: 150, hidden: [16, 16] };
    for (const world of WORLDS.filter((each) => !hasOneInput(each))) {
        const points = pointsOf(world, 3, 0.02);
        assert.ok(points.every(([x, y]) => Math.abs(x) <= 1.3 && Math.abs(y) <= 1.3));
        const [accuracy, straight] = [[16, 16], []].map((hidden) => {
            const run = new LocalRun({ ...settings, hidden }, samplesOf(points));
            run.take(1e9);
            return run.frame().accuracy;
        });
        assert.ok(accuracy >= 0.92, `${world}: ${accuracy}`);
        assert.equal(straight < 0.92, world !== "gaussians", `${world} by a line: ${straight}`);
    }
});

test("a hidden layer follows a curve as far as noise allows, and a line not", () => {
    for (const seed of [1, 2, 3]) {
        const [r2, straight] = [[8], []].map((hidden) => {
            const settings = { ...how, data: "curve", hidden, activation: "tanh", rate: 0.01, batch: 16, epochs: 100, seed };
            const run = new LocalRun(settings, samplesOf(pointsOf("curve", seed, 0.1), false, "curve"));
            run.take(1e9);
            assert.equal(run.frame().score, "r2");
            return run.frame().r2;
        });
        assert.ok(r2 > 0.9 && r2 < 1 && straight < 0.6, `seed ${seed}: ${r2}, a line ${straight}`);
    }
    assert.throws(() => samplesOf([[0, 0.5, 1], [1, 0.5, 1]], true, "curve"), /at least two points, one higher than the other: got 2/);
});

test("two parameters end in the valley of the surface that their run has", () => {
    for (const loss of ["cross_entropy", "quadratic"]) {
        const points = pointsOf("cute-dog", 1, 0);
        const samples = samplesOf(points, true, "cute-dog");
        const run = new LocalRun({ ...how, data: "cute-dog", loss, hidden: [], optimizer: "sgd", rate: 3, batch: 400, epochs: 1000 }, samples);
        const begin = run.frame().arrays.points.data[1];
        run.take(1e9);
        const { network, accuracy, arrays: { points: curve } } = run.frame();
        const [[w], [b]] = [network.weights[0], network.biases[0]];
        const [here, ...around] = lossesAt(network, points.slice(0, 360), Float64Array.of(w, w + 1, w - 1, w, w), Float64Array.of(b, b, b, b + 1, b - 1));
        assert.ok(Math.abs(here - curve.data.at(-2)) < 1e-6 && here < begin && around.every((each) => each > here - 1e-3), `${loss}: ${here}, ${around}`);
        assert.ok(accuracy > 0.82 && w > 3 && w < 8 && Math.abs(b) < 1, `${loss}: ${accuracy}, w ${w}, b ${b}`);
        assert.deepEqual(network.path.at(-1), [w, b]);
    }
    assert.throws(() => samplesOf([[0, 1, 1]], true, "cute-dog"), /one point of each color: got 0 orange and 1 blue/);
});

test("a long run keeps few points of its curve, and one cycle ends at a rate of nearly 0", () => {
    const run = new LocalRun({ ...how, schedule: "one_cycle", rate: 0.01, batch: 400, epochs: 900, hidden: [] }, samplesOf(pointsOf("xor", 1, 0)));
    const rates = Array.from({ length: 900 }, () => {
        run.take(1);
        return run.frame().rate;
    });
    assert.ok(run.isOver && run.frame().arrays.points.shape[0] <= 401);
    [[rates[0], 0.0004], [Math.max(...rates), 0.01], [rates[899], 1e-6]].forEach(([rate, wanted]) => assert.ok(Math.abs(rate - wanted) < 1e-6));
});

test("points come back from an address, and a color without points is named", () => {
    const points = [[-1.3, 1.3, 0], [0.1234, -0.5, 1], [9, 0, 1]].map(snapped);
    assert.deepEqual(pointsIn(pointsText(points)), points);
    for (const text of ["abc", "", "1.2.3", "1.2.0_x", "1e9.2.0"]) {
        assert.deepEqual(pointsIn(text), []);
    }
    assert.throws(() => samplesOf(points.slice(1), true), /got 0 orange and 2 blue/);
    assert.equal(samplesOf(points, true).n_train, 3);
});

const same = (one, other) => one.every((each, index) => each === other[index]);

test("a frozen layer stays as it is, bit by bit, while the others learn", () => {
    for (const frozen of [[], [1], [2, 3]]) {
        const run = new LocalRun({ ...how, hidden: [12, 8] }, digits);
        run.take(1);
        const { network: before, accuracy: least } = run.frame();
        run.take(200, frozen);
        const { network, accuracy } = run.frame();
        network.weights.forEach((W, l) => assert.equal(same(W, before.weights[l]), frozen.includes(l + 1), `${frozen}: layer ${l + 1}`));
        network.biases.forEach((b, l) => assert.equal(same(b, before.biases[l]), frozen.includes(l + 1)));
        assert.ok(accuracy > least + 0.2, `${frozen}: ${least} to ${accuracy}`);
        run.take(1);
        assert.ok(!same(run.frame().network.weights[0], network.weights[0])); // it thaws
    }
});

test("drawings are learned in a lesson, which says what is forgotten meanwhile", () => {
    const run = new LocalRun(how, digits);
    run.take(450);
    const { network, accuracy } = run.frame();
    const inputs = digits.inputs.slice(0, 784 * 3);
    const targets = BigInt64Array.from([0, 1, 2], (index) => (digits.targets[index] + 1n) % 10n); // all of them wrong
    let lesson = null;
    for (let time = 0; time < 12; time += 1) {
        const { weights, biases } = lesson ?? network;
        lesson = teach({ network: { ...network, weights, biases }, before: network, frozen: [], inputs, targets }, digits);
    }
    assert.deepEqual(lesson.own, [0, 1]);
    assert.ok(lesson.digits[0] > accuracy && lesson.digits[1] < lesson.digits[0], `${lesson.digits}`);
    const kept = teach({ network, before: network, frozen: [1], inputs, targets }, digits);
    assert.ok(same(kept.weights[0], network.weights[0]) && !same(kept.weights[1], network.weights[1]));
});

test("the nearest of the digits to one of them is itself, and others come by their distance in pixels", () => {
    const [at, count] = [123, 6];
    const image = digits.inputs.slice(784 * at, 784 * (at + 1));
    image[400] ^= 3; // by which it is 3, 1 or 2 away
    const found = nearest(image, count, digits);
    assert.deepEqual(found[0].pixels, digits.inputs.slice(784 * at, 784 * (at + 1)));
    assert.equal(found[0].label, Number(digits.targets[at]));
    assert.ok(found[0].distance > 0 && found[0].distance <= 3);
    const all = Array.from(digits.targets, (_, row) => Math.hypot(...image.map((each, k) => Math.abs(each - digits.inputs[784 * row + k]))));
    const wanted = all.sort((one, other) => one - other).slice(0, count);
    found.forEach(({ distance }, rank) => assert.ok(Math.abs(distance - wanted[rank]) < 1e-9));
});
