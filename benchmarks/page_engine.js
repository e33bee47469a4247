// Trains by the page's engine and prints JSON: node page_engine.js ENGINE IMAGES LABELS HIDDEN REPETITIONS. An epoch is all
// images, float32, Adam, batches of 128; seconds are the processor's, of the first load and the least of all epochs.

import { readFileSync } from "node:fs";

import { load } from "../src/deltarule/playground/static/engine/module.js";
import { Training } from "../src/deltarule/playground/static/engine/training.js";

const [engine, images, labels] = process.argv.slice(2, 5).map((path) => readFileSync(path));
const [hidden, repetitions] = process.argv.slice(5).map(Number);
const least = { load: Infinity, epoch: Infinity };

async function timed(what, work) {
    const before = process.cpuUsage();
    const made = await work();
    const { user, system } = process.cpuUsage(before);
    least[what] = Math.min(least[what], (user + system) / 1e6);
    return made;
}

await timed("load", () => load(engine));
let seed = 1;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
const gauss = (size) => Math.sqrt((-4 * Math.log(random())) / size) * Math.cos(2 * Math.PI * random());
const layer = (inputs, outputs) => Float64Array.from({ length: inputs * outputs }, () => gauss(inputs));
const network = {
    sizes: [784, hidden, 10], parts: [{ name: "relu" }, { name: "softmax" }], lossPart: { name: "cross_entropy" },
    weights: [layer(784, hidden), layer(hidden, 10)], biases: [new Float64Array(hidden), new Float64Array(10)],
};
const training = new Training(network, {
    inputs: new Uint8Array(images), targets: BigInt64Array.from(labels, BigInt), batchSize: 128,
    optimizer: { name: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 },
});
const order = Array.from(labels, (_, index) => ({ index, key: random() })).sort((one, other) => one.key - other.key);
let losses = null;
for (let n = 0; n < repetitions; n += 1) {
    losses = await timed("epoch", () => training.steps(order.map(({ index }) => index), 0.001));
}
console.log(JSON.stringify({ ...least, loss: losses.reduce((sum, each) => sum + each) / losses.length }));
