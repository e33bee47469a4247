// Trains as a page of one file does and prints JSON: node page_learning.js ENGINE DIGITS. Processor seconds of the images,
// of ten epochs of 784-32-10, and of a frame; and the accuracy on the digits that are held out.

import { readFileSync } from "node:fs";

import { load } from "../src/deltarule/playground/static/engine/module.js";
import { digitsOf, LocalRun } from "../src/deltarule/playground/static/train/run.js";

const [engine, cells] = process.argv.slice(2).map((path) => readFileSync(path));
const seconds = {};

function timed(what, work) {
    const before = process.cpuUsage();
    const made = work();
    const { user, system } = process.cpuUsage(before);
    seconds[what] = (user + system) / 1e6;
    return made;
}

await load(engine);
const digits = timed("images_seconds", () => digitsOf(new Uint8Array(cells)));
const usual = { activation: "relu", loss: "cross_entropy", optimizer: "adam", schedule: "constant" };
const run = new LocalRun({ ...usual, hidden: [32], rate: 0.003, epochs: 10, batch: 32, seed: 1 }, digits);
timed("steps_seconds", () => run.take(450));
const { accuracy } = timed("frame_seconds", () => run.frame());
console.log(JSON.stringify({ ...seconds, accuracy }));
