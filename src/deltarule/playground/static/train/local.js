// Training in the page itself: a worker takes as many steps on the bundled digits as it is asked for and says where it
// stands; for the page it takes the server's place, and obeys the same orders.

import { cellsImage } from "../draw/ink.js";
import { lengthOf, Training } from "../engine/training.js";
import { load } from "../engine/module.js";
import { shown } from "../shared/widgets.js";
import { small } from "../engine/network.js";

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
    constructor({ id, digits, hidden, rate, epochs, batchSize, seed }) {
        const [train, held] = digits;
        const [sizes, random] = [[784, ...hidden, 10], randomOf(seed)];
        const probe = { inputs: train.inputs.subarray(0, 784 * held.targets.length), targets: train.targets.subarray(0, held.targets.length) };
        Object.assign(this, { held, probe, random, rate, epochs, batchSize, sizes, step: 0, loss: null, isLost: false, seconds: 0, points: [], epochRows: [], id, order: [], sum: 0 });
        this.training = new Training(newNetwork(sizes, random), { ...train, batchSize, optimizer: ADAM });
        this.count = train.targets.length;
        this.stepsPerEpoch = Math.ceil(this.count / batchSize);
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
            id: this.id, network, scale, step: this.step, epoch: Math.ceil(this.step / this.stepsPerEpoch), epochs: this.epochs, steps: this.epochs * this.stepsPerEpoch,
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

const RECIPES = [
    { name: "one hidden layer", hidden: [32], says: "784 – 32 – 10: learns 1,437 handwritten digits in about a second. Draw meanwhile: the answer changes as it learns." },
    { name: "two hidden layers", hidden: [64, 32], says: "784 – 64 – 32 – 10." },
    { name: "no hidden layer", hidden: [], says: "784 – 10: each output is one weighted sum of the pixels, and its weights look like its digit." },
];
const BATCH = 32;

/** The bytes that a page of one file holds in an element: base64 of gzip. */
export async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** A run in a worker, which tells and obeys as a run of the server's does. */
class RunInWorker {
    constructor(begin, { id, paused }, tell) {
        Object.assign(this, { id, tell, held: paused, busy: true, frame: null });
        begin().then((worker) => {
            this.worker = worker;
            worker.onmessage = ({ data }) => (data.says || data.id === id) && this.hear(data); // not what is left of a run before
            worker.onerror = ({ message }) => this.end("refused", { says: `the worker could not start: ${message}` });
        }, ({ message }) => this.end("refused", { says: message }));
    }

    hear(frame) {
        this.busy = false;
        if (frame.says) {
            this.end("refused", frame);
            return;
        }
        const isFirst = this.frame === null;
        this.frame = frame;
        if (isFirst) {
            const sizes = [784, ...frame.layers.map(({ neurons }) => neurons)];
            const parameters = sizes.slice(1).reduce((sum, size, l) => sum + size * (sizes[l] + 1), 0);
            this.tell("begin", { sizes, parameters, changes: [], optimizer: "Adam" });
        }
        this.tell("frame", { ...frame, paused: this.held && !frame.isOver });
        if (frame.isOver) {
            const { batch_loss: loss, step, rate, isLost } = frame;
            this.over(isLost ? `a loss of ${shown(loss)} by step ${step}: the learning rate ${rate} is too high, try ${rate / 10}` : null, isLost);
        }
    }

    over(reason, failed = false) {
        this.end("end", { reason, failed, part: "test", examples: this.frame.probe[1], accuracy: this.frame.accuracy });
    }

    end(type, detail) {
        this.busy = true; // for good
        this.tell(type, detail);
        this.tell = () => {}; // what the worker still says is of no use
    }

    /** Takes steps: few at first, since most is learned there, then a third of an epoch at a time; calmly, two epochs. */
    take(count = null) {
        const part = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 2 : 1 / 3;
        const steps = count ?? Math.min(Math.max(1, this.frame.step), Math.ceil(part * this.frame.steps / this.frame.epochs));
        if (!this.busy && this.frame) {
            this.busy = true;
            this.worker.postMessage({ steps });
        }
    }

    order(type) {
        if (type === "pause" && !this.held) {
            this.held = true;
            this.tell("frame", { ...this.frame, paused: true });
        } else if (type === "resume") {
            this.held = false;
        } else if (type === "step") {
            this.held = true;
            this.take(1);
        } else if (type === "more" && !this.held) {
            this.take();
        }
    }

    stop() {
        return this.frame ? this.over("stopped on the page") : this.end("refused", { says: "Stopped before it began." });
    }
}

export class LocalTrainer {
    /** @param {ArrayBuffer} engine the module of WebAssembly */
    constructor(engine) {
        Object.assign(this, { engine, isLocal: true, runs: 0 });
    }

    async catalogue() {
        const recipes = RECIPES.map((recipe) => ({ ...recipe, data: "digits", epochs: 10, rate: 0.003 }));
        return { recipes, datasets: [{ name: "digits" }], limits: { rate: [1e-9, 1e9], epochs: [1, 1000] } };
    }

    train({ recipe, rate, epochs, seed = 1, paused }, tell) {
        const { hidden } = RECIPES.find(({ name }) => name === recipe);
        const id = (this.runs += 1);
        return new RunInWorker(async () => {
            this.worker ??= unpacked("program").then((program) => new Worker(URL.createObjectURL(new Blob([program])))); // which works, where there is no page
            this.digits ??= unpacked("digits").then((bytes) => new Uint8Array(bytes));
            const [worker, digits] = await Promise.all([this.worker, this.digits]);
            worker.postMessage({ begin: { id, engine: this.engine, digits, hidden, rate: rate ?? 0.003, epochs, batchSize: BATCH, seed } });
            return worker;
        }, { id, paused }, tell);
    }
}
