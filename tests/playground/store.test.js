// What every tab looks at, and the address that keeps it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, BLANK, fieldsOf, PAD_SIZE, Store, strokesOf, strokesText } from "../../src/deltarule/playground/static/store.js";

const network = { sizes: [2, 3] };
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
    assert.deepEqual(store.heard, ["network trace", "label trace x", "label"]);
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
    store.showExample(pixels, 7);
    assert.deepEqual([...store.x], [...pixels].map((value) => value / 255));
    assert.equal(store.label, 7);
    assert.equal(store.drawing.before, before);
});

test("an example of numbers from 0 to 1 goes before the network as it is, and is drawn as ink", () => {
    const store = new Store();
    store.showExample(Float64Array.from({ length: 784 }, (_, index) => index / 783), 7, 1);
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
    assert.deepEqual(rest, { tab: "network", skip: true, label: 3 });
    assert.deepEqual(drawing.strokes, [[[10, 20], [30, 40.5]]]);
    store.showExample(new Uint8Array(784));
    assert.deepEqual(fieldsOf(addressOf(store)), { tab: "network", skip: true });
});
