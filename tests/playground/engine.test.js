// engine.js beside the library: golden.json is what Python computes (scripts/make_playground_golden.py).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ACTIVATIONS, activated, slope } from "../../src/deltarule/playground/static/activations.js";
import {
    backward,
    forward,
    lossOfTrace,
    nudge,
    probeOf,
    readModel,
    targetsOf,
    update,
} from "../../src/deltarule/playground/static/engine.js";
import { LOSSES, lossOf } from "../../src/deltarule/playground/static/losses.js";

const { rate, cases } = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const TOLERANCE = 1e-12;

function bytes(text) {
    return Uint8Array.from(Buffer.from(text, "base64")).buffer;
}

function assertNear(found, expected, tolerance = TOLERANCE) {
    const [all, wanted] = [found, expected].map((each) => (typeof each === "number" ? [each] : [...each]));
    assert.equal(all.length, wanted.length);
    wanted.forEach((each, index) => {
        assert.ok(Math.abs(all[index] - each) <= tolerance * Math.max(1, Math.abs(each)), `${all[index]} is not ${each}`);
    });
}

function numericGradient(network, x, y, kind, layer, index) {
    return nudge(probeOf(network, forward(network, x), y), kind, layer, index).slope;
}

const older = JSON.parse(readFileSync(new URL("../goldens/model_files.json", import.meta.url), "utf8"));
for (const { name, model, raw, task, class_names, outputs } of older.filter((each) => !each.name.includes("text"))) {
    test(`${name} answers as when it was saved`, () => {
        const network = readModel(bytes(model));
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
        const network = readModel(bytes(each.model));
        const x = Float64Array.from(each.x);
        const trace = forward(network, x);
        trace.a.forEach((a, l) => assertNear(a, each.a[l]));
        trace.z.slice(1).forEach((z, l) => assertNear(z, each.z[l]));
        assertNear(lossOf(network.lossPart, trace.a.at(-1), targetsOf(network, each.y)), each.loss);
        assertNear(lossOfTrace(network, trace, each.y), each.loss);
        const gradient = backward(network, trace, each.y);
        gradient.delta.slice(1).forEach((delta, l) => assertNear(delta, each.delta[l]));
        gradient.weights.forEach((slopes, l) => assertNear(slopes, each.weights[l]));
        gradient.biases.forEach((slopes, l) => assertNear(slopes, each.biases[l]));
        assertNear(gradient.input, each.input);
        const moved = update(network, gradient, rate);
        assertNear([...moved.weights, ...moved.biases].flatMap((part) => [...part]), each.updated);
    });

    test(`${each.name}: two forward passes know the derivative, too`, () => {
        const network = readModel(bytes(each.model));
        const x = Float64Array.from(each.x);
        const slopes = (kind, layer, count) =>
            Array.from({ length: count }, (_, index) => numericGradient(network, x, each.y, kind, layer, index));
        each.weights.forEach((wanted, l) => assertNear(slopes("weight", l + 1, wanted.length), wanted, 1e-8));
        each.biases.forEach((wanted, l) => assertNear(slopes("bias", l + 1, wanted.length), wanted, 1e-8));
        each.delta.forEach((wanted, l) => assertNear(slopes("z", l + 1, wanted.length), wanted, 1e-8));
        assertNear(slopes("input", 0, each.input.length), each.input, 1e-8);
    });
}

test("every activation and every loss has a case", () => {
    const networks = cases.map((each) => readModel(bytes(each.model)));
    assert.deepEqual(new Set(networks.flatMap((network) => network.hidden)), new Set(ACTIVATIONS));
    assert.deepEqual(new Set(networks.map((network) => network.output)), new Set(ACTIVATIONS));
    assert.deepEqual(new Set(networks.map((network) => network.loss)), new Set(LOSSES));
});

test("a nudge that crosses the kink of a ReLU says so", () => {
    const network = cases.map((each) => readModel(bytes(each.model))).find(({ hidden }) => hidden[0] === "relu");
    network.biases[0].fill(0);
    const trace = forward(network, new Float64Array(3)); // every z of layer 1 is 0, where a ReLU has its kink
    const probe = probeOf(network, trace, 0);
    assert.equal(nudge(probe, "bias", 1, 0).kink, true);
    assert.equal(nudge(probe, "bias", 2, 0).kink, false);
});

test("a surely wrong answer keeps a finite loss and a gradient that does not vanish", () => {
    const network = readModel(bytes(cases[0].model));
    network.biases[1].set([2000, 0]);
    const trace = forward(network, Float64Array.from(cases[0].x));
    assert.ok(Math.abs(lossOfTrace(network, trace, 1) - 2000) < 20);
    assertNear(backward(network, trace, 1).delta[2], [1, -1]);
});

test("a surely right answer has a derivative that is tiny, and right to many digits", () => {
    const network = readModel(bytes(cases[0].model));
    network.biases[1].set([14, 0]);
    const x = Float64Array.from(cases[0].x);
    const wanted = backward(network, forward(network, x), 0).biases[1][0];
    assert.ok(wanted < 0 && wanted > -1e-5);
    assert.ok(Math.abs(numericGradient(network, x, 0, "bias", 2, 0) / wanted - 1) < 1e-6);
});

test("a file that is no model is refused with a sentence", () => {
    assert.throws(() => readModel(new ArrayBuffer(3)), /got 3 bytes that are no .safetensors file/);
    assert.throws(() => readModel(bytes(cases[0].model).slice(0, 20)), /no .safetensors file/);
    const other = new TextEncoder().encode('12345678{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}');
    new DataView(other.buffer).setBigUint64(0, BigInt(other.length - 8), true);
    assert.throws(() => readModel(other.buffer), /without its description/);
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
        const found = activated(part, z);
        assertNear([found / a, slope(part, z, found) / derivative], [1, 1]);
    }
});
