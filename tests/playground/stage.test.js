// wires.js and touch.js: which lines the stage shows, and what a hand changes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { flowOf, stepsOf, walkOf } from "../../src/deltarule/playground/static/backprop/steps.js";
import { practices } from "../../src/deltarule/playground/static/backprop/source.js";
import { isSilent, noiseOn, shaken, silenced, touched, withNoise } from "../../src/deltarule/playground/static/stage/touch.js";
import { largestOf } from "../../src/deltarule/playground/static/shared/widgets.js";
import { strongestBetween } from "../../src/deltarule/playground/static/stage/wires.js";
import "./cases.js"; // which loads the engine

const [{ network, x, y }] = practices();

test("the largest come first, zeros and what is no number not at all", () => {
    assert.deepEqual(largestOf([1, -3, 0, 2, NaN, -2.5, 2], 4), [1, 5, 3, 6]);
    assert.deepEqual(largestOf([0, 0], 4), []);
    const many = Array.from({ length: 300 }, (_, k) => Math.sin(k * k));
    const sorted = [...many.keys()].sort((one, other) => Math.abs(many[other]) - Math.abs(many[one]));
    assert.deepEqual(largestOf(many, 40), sorted.slice(0, 40));
});

test("lines are activation times weight, and on the way back error times weight", () => {
    const { trace, gradient } = walkOf(network, x, y, 0.5);
    const forth = strongestBetween(network, 1, trace.a[1], false);
    const back = strongestBetween(network, 1, gradient.delta[2], true);
    assert.equal(forth.length, 6);
    assert.equal(back.length, 6);
    forth.forEach(({ from, to, strength }) => assert.equal(strength, trace.a[1][from] * network.weights[1][2 * from + to]));
    back.forEach(({ from, to, strength }) => assert.equal(strength, gradient.delta[2][to] * network.weights[1][2 * from + to]));
    [forth, back].forEach((lines) => lines.slice(1).forEach(({ strength }, at) => assert.ok(Math.abs(strength) <= Math.abs(lines[at].strength))));
});

test("a step shows what the walk knows by then", () => {
    const walk = walkOf(network, x, y, 0.5);
    const known = stepsOf(walk).map((step) => flowOf(walk, step).values.map((values) => Number(values !== null)).join(""));
    assert.deepEqual(known, ["110", "111", "111", "001", "001", "001", "011", "011", "011", "111", "111", "111"]);
});

test("a hand changes a copy, and the network of before is kept", () => {
    const one = touched(network, "b", 2, (biases) => (biases[1] = 7));
    const two = touched(one, "W", 1, (weights) => (weights[0] = 9));
    assert.deepEqual([two.biases[1][1], two.weights[0][0], two.was], [7, 9, network]);
    assert.deepEqual([network.biases[1][1], network.weights[0][0]], [0.1, 0.5]);
});

test("a silenced neuron sends nothing, and wakes with what it sent before", () => {
    const quiet = silenced(network, 1, 1);
    assert.deepEqual([...quiet.weights[1]], [1, -0.5, 0, 0, 0.3, 0.6]);
    assert.deepEqual([isSilent(quiet, 1, 1), isSilent(quiet, 1, 0), isSilent(quiet, 2, 0)], [true, false, false]);
    assert.deepEqual([...silenced(quiet, 1, 1).weights[1]], [...network.weights[1]]);
});

test("noise moves the bias of one neuron, or every input, anew each time, and leaves the network as it is", () => {
    const noise = withNoise({ noise: withNoise({ noise: new Map() }, 1, 2, 0.5) }, 0, 0, 0.1);
    assert.deepEqual([noiseOn({ noise }, 1, 2), noiseOn({ noise }, 0, 0), noiseOn({ noise }, 1, 1)], [0.5, 0.1, 0]);
    const moves = Array.from({ length: 2000 }, () => {
        const [moved, inputs] = shaken(network, x, noise);
        assert.deepEqual([...moved.biases[0].subarray(0, 2), ...moved.biases[1]], [0.1, 0, 0, 0.1]);
        assert.equal(moved.weights, network.weights);
        return [moved.biases[0][2] + 0.2, inputs[0] - x[0], inputs[1] - x[1]];
    });
    [0.5, 0.1, 0.1].forEach((size, at) => {
        const spread = Math.sqrt(moves.reduce((sum, move) => sum + move[at] ** 2, 0) / moves.length);
        assert.ok(Math.abs(spread / size - 1) < 0.1, `${spread} instead of ${size}`);
    });
    assert.equal(network.biases[0][2], -0.2);
    const none = withNoise({ noise: withNoise({ noise }, 1, 2, 0) }, 0, 0, -1);
    assert.equal(none.size, 0);
    assert.deepEqual(shaken(network, x, none), [network, x]);
});
