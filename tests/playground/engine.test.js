// The engine in WebAssembly beside the library.

import assert from "node:assert/strict";
import { test } from "node:test";

import { about, load } from "../../src/deltarule/playground/static/engine/module.js";
import { activate, backward, forward, slope, unusual, update } from "../../src/deltarule/playground/static/engine/network.js";
import { nudge, probeOf } from "../../src/deltarule/playground/static/engine/nudges.js";
import { Training } from "../../src/deltarule/playground/static/engine/training.js";
import { cases, engine, networkIn, older, rate, runs } from "./cases.js";

const TOLERANCE = 1e-12;

function assertNear(found, expected, tolerance = TOLERANCE) {
    const [all, wanted] = [found, expected].map((each) => (typeof each === "number" ? [each] : [...each]));
    assert.equal(all.length, wanted.length);
    wanted.forEach((each, index) => {
        assert.ok(Math.abs(all[index] - each) <= tolerance * Math.max(1, Math.abs(each)), `${all[index]} is not ${each}`);
    });
}

function numericGradient(network, x, y, kind, layer, index) {
    return nudge(probeOf(network, x, y), kind, layer, index).slope;
}

for (const { name, model, raw, task, class_names, outputs } of older.filter((each) => !each.name.includes("text"))) {
    test(`${name} answers as when it was saved`, () => {
        const network = networkIn(model);
        assert.deepEqual([network.task, network.classNames], [task, class_names]);
        assert.equal(network.pixels, raw.dtype === "uint8");
        raw.rows.forEach((row, index) => {
            const x = new Float64Array(raw.width);
            raw.at.forEach((place, k) => (x[place] = network.pixels ? row[k] / 255 : row[k]));
            assertNear(forward(network, x).a.at(-1), outputs[index], 1e-5);
        });
    });
}

for (const each of cases) {
    test(each.name, () => {
        const network = networkIn(each.model);
        const x = Float64Array.from(each.x);
        const trace = forward(network, x);
        trace.a.forEach((a, l) => assertNear(a, each.a[l]));
        trace.z.slice(1).forEach((z, l) => assertNear(z, each.z[l]));
        assertNear(forward(network, x, each.y).loss, each.loss);
        assertNear(unusual(network, trace), each.unusual);
        const { gradient, loss } = backward(network, x, each.y);
        assertNear(loss, each.loss);
        gradient.delta.slice(1).forEach((delta, l) => assertNear(delta, each.delta[l]));
        gradient.weights.forEach((slopes, l) => assertNear(slopes, each.weights[l]));
        gradient.biases.forEach((slopes, l) => assertNear(slopes, each.biases[l]));
        assertNear(gradient.input, each.input);
        const moved = update(network, gradient, rate);
        assertNear([...moved.weights, ...moved.biases].flatMap((part) => [...part]), each.updated);
    });

    test(`${each.name}: two forward passes know the derivative, too`, () => {
        const network = networkIn(each.model);
        const x = Float64Array.from(each.x);
        const slopes = (kind, layer, count) =>
            Array.from({ length: count }, (_, index) => numericGradient(network, x, each.y, kind, layer, index));
        each.weights.forEach((wanted, l) => assertNear(slopes("weight", l + 1, wanted.length), wanted, 1e-8));
        each.biases.forEach((wanted, l) => assertNear(slopes("bias", l + 1, wanted.length), wanted, 1e-8));
        each.delta.forEach((wanted, l) => assertNear(slopes("z", l + 1, wanted.length), wanted, 1e-8));
        assertNear(slopes("input", 0, each.input.length), each.input, 1e-8);
    });
}

for (const { optimizer, model, x, y, order, losses, parameters } of runs) {
    test(`ten steps of ${optimizer.name} end where Python's do`, () => {
        const samples = { inputs: Float64Array.from(x), targets: BigInt64Array.from(y, BigInt), batchSize: 8, optimizer };
        const network = networkIn(model);
        const training = new Training(network, { ...samples, Real: Float64Array });
        const first = training.steps(order.slice(0, 32), 0.05);
        forward(network, Float64Array.from(x.slice(0, 5))); // another call takes the memory meanwhile
        assertNear([...first, ...training.steps(order.slice(32), 0.05)], losses);
        const { weights, biases } = training.network;
        assertNear([...weights, ...biases].flatMap((part) => [...part]), parameters);
        const rough = new Training(network, samples);
        rough.steps(order, 0.05);
        assertNear([...rough.network.weights, ...rough.network.biases].flatMap((part) => [...part]), parameters, 1e-4);
    });
}

test("every part that the engine has is tried", () => {
    const networks = cases.map((each) => networkIn(each.model));
    const tried = {
        activation: networks.flatMap(({ hidden }) => hidden), loss: networks.map(({ loss }) => loss),
        optimizer: runs.map(({ optimizer }) => optimizer.name),
    };
    for (const [kind, names] of Object.entries(tried)) {
        assert.deepEqual(new Set(names), new Set(Object.keys(about.parts[kind])));
    }
    assert.deepEqual(new Set(networks.map(({ output }) => output)), new Set(Object.keys(about.parts.activation)));
});

test("a browser that cannot read the engine says what it needs", async () => {
    const tooNew = Uint8Array.from(engine);
    tooNew[4] = 9; // the version of its format, which nobody knows, as an old browser does not know simd
    await assert.rejects(load(tooNew), /no WebAssembly with SIMD: use Chrome 117, Firefox 121, Safari 16.4 or a later one/);
});

test("a nudge that crosses the kink of a ReLU says so", () => {
    const network = cases.map((each) => networkIn(each.model)).find(({ hidden }) => hidden[0] === "relu");
    network.biases[0].fill(0);
    const probe = probeOf(network, new Float64Array(3), 0); // every z of layer 1 is 0, where a ReLU has its kink
    assert.equal(nudge(probe, "bias", 1, 0).kink, true);
    assert.equal(nudge(probe, "bias", 2, 0).kink, false);
});

test("a surely wrong answer keeps a finite loss and a gradient that does not vanish", () => {
    const network = networkIn(cases[0].model);
    network.biases[1].set([2000, 0]);
    const { loss, gradient } = backward(network, Float64Array.from(cases[0].x), 1);
    assert.ok(Math.abs(loss - 2000) < 20);
    assertNear(gradient.delta[2], [1, -1]);
});

test("a surely right answer has a derivative that is tiny, and right to many digits", () => {
    const network = networkIn(cases[0].model);
    network.biases[1].set([14, 0]);
    const x = Float64Array.from(cases[0].x);
    const wanted = backward(network, x, 0).gradient.biases[1][0];
    assert.ok(wanted < 0 && wanted > -1e-5);
    assert.ok(Math.abs(numericGradient(network, x, 0, "bias", 2, 0) / wanted - 1) < 1e-6);
});

test("both tails keep their digits", () => {
    const exact = [
        ["sigmoid", -700, 9.85967654375977e-305, 9.85967654375977e-305],
        ["sigmoid", -30, 9.357622968839299e-14, 9.357622968838424e-14],
        ["sigmoid", 30, 0.9999999999999064, 9.357622968838424e-14],
        ["tanh", 30, 1, 3.502604305078608e-26],
        ["elu", -30, -0.9999999999999064, 9.357622968840175e-14],
        ["exponential", -30, 9.357622968840175e-14, 9.357622968840175e-14],
        ["silu", -30, -2.8072868906517897e-12, -2.713710660963134e-12],
    ];
    for (const [name, z, a, derivative] of exact) {
        const part = { name, alpha: 1 };
        const [found] = activate(part, [z]);
        assertNear([found / a, slope(part, z, found) / derivative], [1, 1]);
    }
});
