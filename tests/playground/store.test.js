// What every tab looks at, and the address that keeps it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, BLANK, fieldsOf, PAD_SIZE, Store, strokesOf, strokesText } from "../../src/deltarule/playground/static/shared/store.js";

const network = { sizes: [784, 3], imageShape: [28, 28] };
const counting = () => {
    const store = new Store((_, x) => {
        store.passes += 1;
        return { z: [], a: [x, Float64Array.of(0.2, 0.5, 0.3)] };
    });
    store.passes = 0;
    store.heard = [];
    store.addEventListener("change", ({ keys }) => store.heard.push([...keys].sort().join(" ")));
    return store;
};

test("a change is told once, with one forward pass, and no change is not told", () => {
    const store = counting();
    const x = Float64Array.of(1, 2);
    store.set({ network });
    store.set({ x, label: 1 });
    store.set({ x, label: 1 });
    store.set({ label: 2 });
    assert.deepEqual(store.heard, ["network structure trace", "label trace x", "label"]);
    assert.equal(store.passes, 1);
    assert.equal(store.answer, 1);
    store.set({ x: null });
    assert.equal(store.outputs, null);
    assert.equal(store.answer, null);
});

test("an example stands before the network exactly as it is, and undo brings back what was there", () => {
    const store = counting();
    store.set({ network });
    const pixels = Uint8Array.from({ length: 784 }, (_, index) => index % 256);
    const before = store.drawing;
    store.takeExample({ x: pixels, label: 7, pixels: true });
    assert.deepEqual([...store.x], [...pixels].map((value) => value / 255));
    assert.equal(store.label, 7);
    assert.equal(store.drawing.before, before);
});

test("an example of numbers from 0 to 1 goes before the network as it is, and is drawn as ink", () => {
    const store = counting();
    store.set({ network });
    store.takeExample({ x: Float64Array.from({ length: 784 }, (_, index) => index / 783), label: 7, pixels: false });
    assert.deepEqual([store.x[0], store.x[100], store.x[783]], [0, 100 / 783, 1]);
    assert.deepEqual([...store.drawing.picture.pixels.slice(-2)], [255, 255]);
    assert.equal(store.drawing.picture.pixels[100], Math.round((255 * 100) / 783));
});

test("strokes survive an address to half a pixel, also where they were nudged off the pad", () => {
    const strokes = [[[0, 0], [PAD_SIZE, 0.5], [-179.5, 460]], [[3.5, 4]]];
    assert.deepEqual(strokesOf(strokesText(strokes)), strokes);
});

test("what is no address of strokes is none", () => {
    for (const text of ["", "abc", "abcd-", "-abcd", "ABCD", "ab d", "abcd--abcd", "a".repeat(20_004)]) {
        assert.equal(strokesOf(text), null, text.slice(0, 20));
    }
});

test("an address keeps tab, strokes, label and the switch; a picture is not in it", () => {
    const store = counting();
    store.set({ network, tab: "network", skip: true, label: 3, drawing: { ...BLANK, strokes: [[[10, 20], [30, 40.5]]] } });
    const { drawing, ...rest } = fieldsOf(addressOf(store));
    assert.deepEqual(rest, { tab: "network", skip: true });
    assert.equal(drawing.label, 3);
    assert.deepEqual(drawing.strokes, [[[10, 20], [30, 40.5]]]);
    store.takeExample({ x: new Uint8Array(784), label: 4, pixels: true });
    assert.deepEqual(fieldsOf(addressOf(store)), { tab: "network", skip: true }); // nor the label, which is the picture's
});

test("a label goes with its drawing and comes back with it", () => {
    const store = counting();
    store.set({ network });
    const strokes = [[[10, 20], [30, 40]]];
    store.set({ drawing: { ...BLANK, strokes } });
    const mine = store.drawing;
    store.takeExample({ x: new Uint8Array(784), label: 4, pixels: true });
    const example = store.drawing;
    store.set({ drawing: mine });
    assert.equal(store.label, null);
    store.set({ drawing: example });
    assert.equal(store.label, 4);
    store.set({ label: 7 });
    assert.equal(store.drawing.label, 7);
    store.set({ drawing: BLANK });
    assert.equal(store.label, null);
});

test("an address holds the longest drawing, with fewer points", () => {
    const store = counting();
    const circle = Array.from({ length: 9000 }, (_, k) => [140 + 100 * Math.cos(k / 10), 140 + 100 * Math.sin(k / 10)].map(Math.round));
    store.set({ network, drawing: { ...BLANK, strokes: [circle, [[5, 5]]] } });
    const address = addressOf(store);
    assert.ok(address.length < 20_100 && address.length > 1000, `${address.length} characters`);
    const [stroke, dot] = fieldsOf(address).drawing.strokes;
    assert.deepEqual([stroke[0], stroke.at(-1), dot], [circle[0], circle.at(-1), [[5, 5]]]);
});

test("what is built for a network is built anew for another structure, and not for other weights", () => {
    const store = counting();
    const made = (hidden) => ({ sizes: [2, 3], hidden, weights: [Float64Array.of(Math.random())], biases: [] });
    [["tanh"], ["tanh"], ["relu"]].forEach((hidden) => store.set({ network: made(hidden) }));
    assert.deepEqual(store.heard, ["network structure trace", "network trace", "network structure trace"]);
});

test("an example that no pad shows goes before the network alone", () => {
    const store = counting();
    store.set({ network: { sizes: [4, 3], imageShape: [2, 2] } });
    store.takeExample({ x: [0, 51, 255, 255], label: 2, pixels: true });
    assert.deepEqual([...store.x], [0, 0.2, 1, 1]);
    assert.deepEqual([store.label, store.drawing.picture, store.drawing.before], [2, null, null]);
});
