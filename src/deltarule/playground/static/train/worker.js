// The worker that trains on the bundled digits: it takes as many steps as it is asked for, and says where it stands.

import { load } from "../engine/module.js";
import { lengthOf, Training } from "../engine/training.js";
import { cellsImage } from "../ink.js";
import { small } from "../practice.js";

const CELLS = 64; // of a digit, behind its label
const HIGHEST_LOSS = 1000 * Math.log(10); // a thousand times that of knowing nothing: it is on its way to infinity
const FULL_COLOR = 3; // times the typical size of a weight, as in frames.py
const ADAM = { name: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0 };

/** Numbers from 0 to 1, the same for each seed (Mulberry32). */
function randomOf(seed) {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

/** New weights, normal, of deviation sqrt(2 / fan_in) before a ReLU and sqrt(1 / fan_in) before the softmax. */
function newNetwork(sizes, random) {
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const weights = sizes.slice(1).map((fanOut, l) => Float64Array.from({ length: sizes[l] * fanOut },
        () => normal() * Math.sqrt((l < sizes.length - 2 ? 2 : 1) / sizes[l])));
    const biases = sizes.slice(1).map((size) => new Float64Array(size));
    const made = small(sizes, "relu", "softmax", "cross_entropy", "classes", weights, biases);
    return { ...made, imageShape: [28, 28], reading: "digits", pixels: true };
}

/** The digits in bytes, a label and 8x8 cells each: those to learn, and every fifth of each class, held out. */
export function digitsOf(bytes) {
    const count = bytes.length / (CELLS + 1);
    const label = (index) => bytes[index * (CELLS + 1)];
    const sorted = Array.from({ length: count }, (_, index) => index).sort((one, other) => label(one) - label(other));
    const held = new Set(sorted.filter((_, place) => place % 5 === 0));
    const part = (wanted) => {
        const chosen = Array.from({ length: count }, (_, index) => index).filter((index) => held.has(index) === wanted);
        const inputs = new Uint8Array(784 * chosen.length);
        chosen.forEach((index, row) => {
            const start = index * (CELLS + 1) + 1;
            inputs.set(cellsImage(bytes.subarray(start, start + CELLS)), 784 * row);
        });
        return { inputs, targets: BigInt64Array.from(chosen, (index) => BigInt(label(index))) };
    };
    return [part(false), part(true)];
}

/** A run, and what the page is told of it: the fields of a frame of the server's. */
export class LocalRun {
    /** @param {object} how digits: the two parts, as `digitsOf` makes them */
    constructor({ digits, hidden, rate, epochs, batchSize, seed }) {
        const [train, held] = digits;
        const [sizes, random] = [[784, ...hidden, 10], randomOf(seed)];
        const probe = { inputs: train.inputs.subarray(0, 784 * held.targets.length), targets: train.targets.subarray(0, held.targets.length) };
        Object.assign(this, { held, probe, random, rate, epochs, batchSize, sizes, step: 0, loss: null, isLost: false, seconds: 0, points: [], epochRows: [] });
        this.training = new Training(newNetwork(sizes, random), { ...train, batchSize, optimizer: ADAM });
        this.count = train.targets.length;
        this.stepsPerEpoch = Math.ceil(this.count / batchSize);
        this.order = [];
        this.sum = 0;
    }

    /** Takes so many steps, at most to the end. */
    take(count) {
        const began = performance.now();
        for (let left = count; left > 0 && !this.isOver;) {
            if (this.order.length === 0) {
                this.order = Array.from({ length: this.count }, (_, index) => index);
                this.order.forEach((_, index) => { // Fisher and Yates
                    const other = index + Math.floor(this.random() * (this.count - index));
                    [this.order[index], this.order[other]] = [this.order[other], this.order[index]];
                });
            }
            const losses = this.training.steps(this.order.splice(0, left * this.batchSize), this.rate);
            const lost = losses.findIndex((each) => !(each <= HIGHEST_LOSS));
            this.loss = losses.at(lost);
            this.isLost = lost >= 0;
            this.sum += losses.reduce((sum, each) => sum + each, 0);
            this.step += losses.length;
            left -= losses.length;
            if (this.order.length === 0) {
                this.epochRows.push([this.step, this.sum / this.stepsPerEpoch]);
                this.sum = 0;
            }
        }
        this.seconds += (performance.now() - began) / 1000;
    }

    get isOver() {
        return this.step >= this.epochs * this.stepsPerEpoch || this.isLost;
    }

    frame() {
        const { network } = this.training;
        const [learned, score] = [this.probe, this.held].map(({ inputs, targets }) => this.training.score(inputs, targets));
        this.points.push([this.step, learned.loss, learned.accuracy, score.loss, score.accuracy]);
        const [W, neurons] = [network.weights[0], this.sizes[1]];
        const scale = FULL_COLOR * lengthOf(W) / Math.sqrt(W.length);
        const weights = Int8Array.from({ length: W.length }, (_, at) =>
            Math.round(Math.max(-127, Math.min(127, W[(at % 784) * neurons + Math.floor(at / 784)] * 127 / scale))));
        const table = (rows, width) => ({ data: Float32Array.from(rows.flat()), shape: [rows.length, width] });
        return {
            network, scale, step: this.step, epoch: Math.ceil(this.step / this.stepsPerEpoch), epochs: this.epochs, steps: this.epochs * this.stepsPerEpoch,
            seconds: this.seconds, batch_loss: this.loss, rate: this.rate, score: "accuracy", probe: [this.probe.targets.length, this.held.targets.length],
            layers: this.training.gradientNorms.map((gradient, l) => ({
                neurons: this.sizes[l + 1], activation: l < this.sizes.length - 2 ? "ReLU" : "Softmax", gradient, dead: null, saturated: null })),
            accuracy: score.accuracy, isOver: this.isOver, isLost: this.isLost,
            arrays: { points: table(this.points, 5), epochs: table(this.epochRows, 2), weights: { data: weights, shape: [neurons, 28, 28] } },
        };
    }
}

let [digits, run] = [null, null];

/** Obeys what the page says to its worker: begin a run, or take so many steps; the answer is a frame, or why there is none. */
export async function obey({ data: { begin, steps } }) {
    try {
        if (begin) {
            await load(begin.engine);
            digits ??= digitsOf(begin.digits);
            run = new LocalRun({ ...begin, digits });
        } else {
            run.take(steps);
        }
        self.postMessage(run.frame());
    } catch ({ message }) {
        self.postMessage({ says: message });
    }
}
