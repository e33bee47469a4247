// mind.js, judged.js, curves.js, layers.js: what the Train and Mistakes tabs compute on the page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Chart, apart, brief, endOfAxis, ticks } from "../../src/deltarule/playground/static/train/curves.js";
import { forward } from "../../src/deltarule/playground/static/engine/network.js";
import { Held } from "../../src/deltarule/playground/static/mistakes/mind.js";
import { columnsFor } from "../../src/deltarule/playground/static/train/layers.js";
import { largest, pathToAnother, towards } from "../../src/deltarule/playground/static/mistakes/mind.js";
import { howItEnded, whereItStands } from "../../src/deltarule/playground/static/train/panel.js";
import { cases, networkIn } from "./cases.js";

const NETWORKS = cases
    .map(({ name, model, x }) => ({ name, network: networkIn(model), x: Float64Array.from(x) }))
    .filter(({ network }) => network.task === "classes" && network.sizes.at(-1) > 1);

test("there are networks to try", () => assert.ok(NETWORKS.length >= 3));

for (const { name, network, x } of NETWORKS) {
    test(`the slope of a difference of two z is that of central differences: ${name}`, () => {
        const last = network.weights.length;
        const difference = (input) => {
            const { z } = forward(network, input);
            return z[last][0] - z[last][1];
        };
        const slope = towards(network, x, forward(network, x).z[last], 0, 1);
        x.forEach((_, k) => {
            const [up, down] = [1e-6, -1e-6].map((step) => difference(x.map((each, n) => (n === k ? each + step : each))));
            assert.ok(Math.abs((up - down) / 2e-6 - slope[k]) < 1e-6 * Math.max(1, Math.abs(slope[k])));
        });
    });

    test(`every place of a path is the answer of the network: ${name}`, () => {
        const from = largest(forward(network, x).a[network.weights.length]);
        for (let goal = 0; goal < network.sizes.at(-1); goal += 1) {
            const places = [...pathToAnother(network, x, { goal, isImage: false })];
            assert.deepEqual([...places[0].x], [...x]);
            assert.equal(places[0].answer, from);
            if (goal === from) {
                assert.equal(places.length, 1);
                continue;
            }
            for (const place of places) {
                assert.deepEqual([...forward(network, place.x).a[network.weights.length]], [...place.outputs]);
                assert.ok(Math.abs(Math.hypot(...place.x.map((each, k) => each - x[k])) - place.distance) < 1e-12);
            }
        }
    });
}

test("in a network without hidden layers the path is the straight way to the border, by hand", () => {
    // z = [x0, 2 x0 + x1, x1 - 1]; at (1, -3) it reads 0: z = [1, -1, -4]. From class 0 to class 1 the border is
    // x0 + x1 = 0, at a distance of 2 / sqrt(2); to class 2 it is x1 - x0 = 1, at 5 / sqrt(2).
    const network = {
        sizes: [2, 3], hidden: [], output: "softmax", loss: "cross_entropy", parts: [{ name: "softmax" }],
        lossPart: { name: "cross_entropy", label_smoothing: 0 }, weights: [Float64Array.of(1, 2, 0, 0, 1, 1)],
        biases: [Float64Array.of(0, 0, -1)], scaling: null, task: "classes",
    };
    for (const [goal, border] of [[1, Math.SQRT2], [null, Math.SQRT2]]) {
        const places = [...pathToAnother(network, Float64Array.of(1, -3), { goal, isImage: false })];
        const flip = places.find(({ answer }) => answer === 1);
        assert.ok(flip.distance > border - 1e-9 && flip.distance < border * 1.06, String(flip.distance));
        assert.ok(places.at(-1).distance >= 1.5 * flip.distance);
    }
});

test("pixels stay pixels", () => {
    const { network } = NETWORKS[0];
    const edge = Float64Array.from({ length: network.sizes[0] }, (_, k) => k % 2);
    for (const { x } of pathToAnother(network, edge)) {
        assert.ok(x.every((each) => each >= 0 && each <= 1));
    }
});

test("mistakes counted on the page", async () => {
    const { network } = NETWORKS[0];
    const examples = Array.from({ length: 30 }, (_, index) => ({
        x: Array.from({ length: network.sizes[0] }, (_, k) => (37 * index + 11 * k * index) % 256),
        label: index % network.sizes.at(-1),
    }));
    const judged = new Held(examples, { network });
    const { confusion, count, right } = await judged.mistakes();
    assert.equal(confusion.flat().reduce((sum, each) => sum + each), 30);
    assert.equal(confusion.reduce((sum, row, index) => sum + row[index], 0), right);
    assert.equal(count, 30);
    let seen = 0;
    for (let one = 0; one < confusion.length; one += 1) {
        assert.equal(confusion[one].reduce((sum, each) => sum + each), examples.filter(({ label }) => label === one).length);
        for (let other = 0; other < confusion.length; other += 1) {
            const cell = await judged.cell(one, other);
            assert.equal(cell.count, confusion[one][other]);
            const sure = cell.examples.map(({ probability }) => probability);
            assert.deepEqual(sure, [...sure].sort((a, b) => (one === other ? a - b : b - a)));
            seen += cell.examples.length;
        }
    }
    assert.equal(seen, 30);
});

test("ticks are round, and within", () => {
    assert.deepEqual(ticks(0, 1, 4), [0, 0.5, 1]);
    assert.deepEqual(ticks(0, 2.4, 4), [0, 1, 2]);
    assert.deepEqual(ticks(0, 1290, 4), [0, 500, 1000]);
    assert.deepEqual(ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
});

test("numbers on an axis are short", () => {
    assert.deepEqual([0, 500, 12_000, 500_000, 1_200_000].map(brief), ["0", "500", "12k", "500k", "1.2M"]);
});

test("curves fill at least half of their axis, however long the run will be", () => {
    const upTo = (step) => [{ line: [[0, 1], [step, 1]], marks: [] }, { line: [[0, 1]], marks: [[0, 1]] }];
    assert.equal(endOfAxis(upTo(1000), 1000), 1000);
    assert.equal(endOfAxis(upTo(501), 1000), 1000);
    assert.equal(endOfAxis(upTo(500), 1000), 500);
    assert.equal(endOfAxis(upTo(57_600), 1_200_000), 75_000);
    assert.equal(endOfAxis([{ line: [[0, 1]], marks: [[0, 1], [300, 1]] }], 1000), 500);
    assert.equal(endOfAxis([], 0), 0);
    assert.ok(endOfAxis(upTo(0), 500) >= 1);
});

test("a few losses far above the others leave the axis, which knows how far", () => {
    const frame = (values, most = null) =>
        Chart.prototype.frame.call({ most }, [{ line: values.map((value, step) => [step, value]), marks: [] }], 100, 500);
    const calm = Array(99).fill(0.5);
    const { high, highest, y } = frame([40, ...calm]);
    assert.ok(Math.abs(high - 0.525) < 1e-12);
    assert.equal(highest, 40);
    assert.equal(y(40), y(high));
    assert.equal(frame(calm).highest, frame(calm).high);
    assert.deepEqual([frame([], 1).high, frame([], 1).highest], [1, 1]);
    assert.equal(frame([NaN, 3, 3, 3]).highest, frame([3, 3, 3]).high);
});

test("labels do not cover each other", () => {
    assert.deepEqual(apart([10, 12, 50], 15), [10, 25, 50]);
    assert.deepEqual(apart([50, 12, 10], 15), [50, 25, 10]);
});

test("pictures fill their rows", () => {
    assert.equal(columnsFor(64, 16), 16);
    assert.equal(columnsFor(30, 16), 10);
    assert.equal(columnsFor(10, 16), 5);
    assert.equal(columnsFor(64, 8), 8);
    assert.equal(columnsFor(1, 16), 1);
    assert.equal(columnsFor(13, 16), 13);
});

test("a run in words", () => {
    const facts = { epoch: 2, epochs: 3, step: 431, steps: 1290, seconds: 1.24, batch_loss: 0.4822, rate: 0.008, paused: true };
    assert.equal(whereItStands(facts), "Paused, epoch 2 of 3, step 431 of 1,290 · batch loss 0.482 · rate 0.008 · 1.2 s");
    assert.match(whereItStands({ ...facts, batch_loss: null }), /batch loss not finite/);
    const end = { reason: null, failed: false, part: "test", examples: 10000, accuracy: 0.981 };
    assert.equal(howItEnded(end), "Done. The trained network scores 98.1 % on 10,000 test examples.");
    assert.match(howItEnded({ ...end, reason: "x", failed: true }), /^Failed: x\. The trained network/);
});
