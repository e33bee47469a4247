// The Backprop tab's numbers: every one is the sum that the page shows for it, every check passes, and finds a mistake.

import assert from "node:assert/strict";
import { test } from "node:test";

import { canCheck, checking, spread } from "../../src/deltarule/playground/static/backprop/check.js";
import { quantityOf, stepsOf, walkOf } from "../../src/deltarule/playground/static/backprop/steps.js";
import { sumOf } from "../../src/deltarule/playground/static/backprop/sums.js";
import { EQUATIONS } from "../../src/deltarule/playground/static/backprop/equations.js";
import { practices } from "../../src/deltarule/playground/static/backprop/source.js";
import { inSlices } from "../../src/deltarule/playground/static/shared/widgets.js";
import { cases, networkIn } from "./cases.js";

const RATE = 0.5;
const walks = [
    ...practices().map(({ title, network, x, y }) => [title, walkOf(network, x, y, RATE)]),
    ...cases.map(({ name, model, x, y }) => [name, walkOf(networkIn(model), Float64Array.from(x), y, RATE)]),
];

function ran(work) {
    for (;;) {
        const next = work.next();
        if (next.done) {
            return next.value;
        }
    }
}

function totalOf({ terms, outer }) {
    const total = terms.reduce((sum, each) => sum + each.value, 0);
    if (outer === null) {
        return total;
    }
    return outer.how === "times" ? outer.value * total : outer.value / total;
}

function made(walk) {
    return stepsOf(walk).flatMap((step) => step.makes);
}

for (const [name, walk] of walks) {
    test(`${name}: every number is the sum shown for it`, () => {
        const ids = new Set(stepsOf(walk).flatMap((step) => [...step.reads, ...step.makes]));
        for (const id of ids) {
            quantityOf(walk, id).values.forEach((value, index) => {
                const sum = sumOf(walk, id, index);
                assert.equal(sum.value, value);
                if (sum.terms.length > 0) {
                    const total = totalOf(sum);
                    assert.ok(Math.abs(total - value) <= 1e-13 * Math.max(1, Math.abs(value)), `${sum.text}: ${total}, not ${value}`);
                }
                const sizes = sum.terms.map((each) => Math.abs(each.value));
                assert.deepEqual(sizes, sizes.toSorted((one, other) => other - one));
            });
        }
    });

    test(`${name}: every check passes`, () => {
        for (const id of made(walk).filter((each) => canCheck(quantityOf(walk, each).kind))) {
            const verdict = ran(checking(walk, id));
            assert.ok(verdict.ok && verdict.count > 0, `${id}: ${verdict.error}`);
        }
    });

    test(`${name}: every step has an equation of the registry`, () => {
        stepsOf(walk).forEach((step) => assert.ok(step.equation in EQUATIONS, step.equation));
    });
}

test("the chain by hand: three links of the chain rule", () => {
    const [, walk] = walks[1];
    const sigmoid = (z) => 1 / (1 + Math.exp(-z));
    const first = sigmoid(0.6 * 1 + 0.2);
    const second = sigmoid(-1.2 * first + 0.5);
    const third = sigmoid(0.9 * second - 0.4);
    const d3 = (third - 1) * third * (1 - third);
    const d2 = d3 * 0.9 * second * (1 - second);
    const d1 = d2 * -1.2 * first * (1 - first);
    [d1, d2, d3].forEach((wanted, at) => {
        assert.ok(Math.abs(quantityOf(walk, `d${at + 1}`).values[0] - wanted) < 1e-15);
    });
    assert.ok(Math.abs(quantityOf(walk, "nW1").values[0] - (0.6 - RATE * d1)) < 1e-15);
});

test("a wrong gradient is found, in every quantity", () => {
    for (const [, walk] of walks.slice(0, 2)) {
        for (const id of made(walk).filter((each) => ["d", "gb", "gW", "gx"].includes(quantityOf(walk, each).kind))) {
            const wrong = { ...walk, gradient: structuredClone(walk.gradient) };
            const { values } = quantityOf(wrong, id);
            values[values.length - 1] *= 1.001;
            assert.equal(ran(checking(wrong, id)).ok, false, id);
        }
    }
});

test("of a very large network numbers are checked that are evenly spread", () => {
    const [, walk] = walks[0];
    assert.equal(spread(walk, "gW1"), null);
    assert.deepEqual(spread(walk, "gW1", 8), [0, 3]); // each moves two numbers of the next layer, up and down
    const verdict = ran(checking(walk, "gW1", [0, 3]));
    assert.ok(verdict.ok && verdict.count === 2);
});

test("a step downhill lowers the loss", () => {
    walks.slice(0, 2).forEach(([, walk]) => assert.ok(walk.lossAfter() < walk.loss));
});

test("work in slices says how far it is, and stops when it is told to", async () => {
    const said = [];
    function* slow() {
        for (let n = 0; n < 5; n += 1) {
            const end = performance.now() + 10;
            while (performance.now() < end);
            yield n;
        }
        return "done";
    }
    const control = new AbortController();
    assert.equal(await inSlices(slow(), (done) => said.push(done), control.signal), "done");
    assert.deepEqual(said, [0, 1, 2, 3, 4]);
    const stopped = new AbortController();
    const never = inSlices(slow(), () => stopped.abort(), stopped.signal).then(() => "settled");
    assert.equal(await Promise.race([never, new Promise((resolve) => setTimeout(resolve, 80, "still open"))]), "still open");
});
