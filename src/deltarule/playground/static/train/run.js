// A run in the page's worker: the requested steps, and its progress. Touches no page.

import { cellsImage } from "../draw/ink.js";
import { load } from "../engine/module.js";
import { activations, small } from "../engine/network.js";
import { OPTIMIZERS, Training } from "../engine/training.js";
import { nearest, teach } from "./lesson.js";
import { answersIn, COLORS, normal, randomOf, worldOf } from "./worlds.js";

const CELLS = 64; // of a digit, behind its label
const HIGHEST_LOSS = 1000 * Math.log(10); // a thousand times that of knowing nothing: it is on its way to infinity
const PROBE = 360; // examples that a curve's point is measured on
const MOST_POINTS = 400; // of a curve, as in frames.py

/** The settings of activations chosen by name alone: Python's defaults. */
export const ACTIVATIONS = { relu: {}, leaky_relu: { slope: 0.01 }, elu: { alpha: 1 }, silu: {}, tanh: {}, sigmoid: {}, identity: {} };

/** New weights, normal, of deviation sqrt(2 / fan_in) before the ReLU family and sqrt(1 / fan_in) before the others. */
export function newNetwork({ hidden, activation, ...how }, [inputs, outputs], random) {
    const { output, loss, task } = answersIn(how);
    const sizes = [inputs, ...hidden, outputs];
    const gain = ["tanh", "sigmoid", "identity"].includes(activation) ? 1 : 2;
    const weights = sizes.slice(1).map((fanOut, l) => Float64Array.from({ length: sizes[l] * fanOut },
        () => normal(random) * Math.sqrt((l < hidden.length ? gain : 1) / sizes[l])));
    const made = small(sizes, activation, output, loss, task, weights, sizes.slice(1).map((size) => new Float64Array(size)));
    const parts = [...hidden.map(() => ({ name: activation, ...ACTIVATIONS[activation] })), { name: output }];
    const { columns } = worldOf(how.data);
    const what = inputs < 3 ? { isWorld: true, fields: columns.slice(0, inputs).map((name) => ({ name, categories: [] })), classNames: outputs === 2 ? COLORS : columns.slice(1) } :
        { imageShape: [28, 28], reading: "digits", pixels: true };
    return { ...made, parts, ...what };
}

/** The digits in bytes, a label and 8x8 cells each: samples, first those to learn, then every fifth of each class, held out. */
export function digitsOf(bytes, isHeldOnly = false) {
    const count = bytes.length / (CELLS + 1);
    const digit = (index) => bytes.subarray(index * (CELLS + 1), (index + 1) * (CELLS + 1));
    const label = (index) => digit(index)[0];
    const all = Array.from({ length: count }, (_, index) => index);
    const held = new Set(all.toSorted((one, other) => label(one) - label(other)).filter((_, place) => place % 5 === 0));
    const order = [...all.filter((index) => !isHeldOnly && !held.has(index)), ...[...held].sort((one, other) => one - other)];
    const inputs = new Uint8Array(784 * order.length);
    order.forEach((index, row) => inputs.set(cellsImage(digit(index).subarray(1)), 784 * row));
    return { inputs, targets: BigInt64Array.from(order, (index) => BigInt(label(index))), n_train: order.length - held.size, n_outputs: 10 };
}

/** The digits that are held out, as examples. */
export function heldOut(bytes) {
    const { inputs, targets } = digitsOf(bytes, true);
    return Array.from(targets, (label, index) => ({ x: inputs.subarray(784 * index, 784 * (index + 1)), label: Number(label), index, pixels: true }));
}

/** A run, and its messages to the page: the fields of a frame of the server. */
export class LocalRun {
    /**
     * @param {object} settings of build.js
     * @param {object} samples inputs, targets, n_train, n_outputs: the first n_train are learned, the others held out
     */
    constructor({ id, ...settings }, samples) {
        const { inputs, targets, n_train: count, n_outputs } = samples;
        const batchSize = Math.min(settings.batch, count);
        const random = randomOf(settings.seed);
        const indices = (from, to) => Array.from({ length: to - from }, (_, index) => from + index);
        Object.assign(this, { id, settings, inputs, targets, random, count, batchSize, step: 0, loss: null, isLost: false, seconds: 0, points: [], path: [], epochRows: [], order: [], sum: 0 });
        this.probe = indices(0, Math.min(PROBE, count));
        this.held = indices(count, targets.length);
        this.begun = newNetwork(settings, [inputs.length / targets.length, n_outputs], random);
        const optimizer = { name: settings.optimizer, ...OPTIMIZERS[settings.optimizer] };
        this.training = new Training(this.begun, { ...settings, inputs, targets, batchSize, optimizer });
        this.stepsPerEpoch = Math.ceil(count / batchSize);
        this.steps = settings.epochs * this.stepsPerEpoch;
    }

    /** The rate of a step: the same each time, or up over the first 30 % and down to nearly 0, as OneCycle of schedules.py. */
    rateAt(step) {
        const { rate, schedule } = this.settings;
        if (schedule === "constant") {
            return rate;
        }
        const peak = 0.3 * this.steps;
        const [start, end, done] = step < peak ? [rate / 25, rate, step / peak] : [rate, rate / 1e4, (step - peak) / (this.steps - peak)];
        return end + 0.5 * (start - end) * (1 + Math.cos(Math.PI * Math.min(done, 1)));
    }

    /** Takes so many steps, at most to the end, which leave the layers that are `frozen`, from 1, as they are. */
    take(count, frozen = []) {
        const began = performance.now();
        this.training.frozen = frozen;
        for (let left = count; left > 0 && !this.isOver;) {
            if (this.order.length === 0) {
                this.order = Array.from({ length: this.count }, (_, index) => index);
                this.order.forEach((_, index) => { // Fisher and Yates
                    const other = index + Math.floor(this.random() * (this.count - index));
                    [this.order[index], this.order[other]] = [this.order[other], this.order[index]];
                });
            }
            const order = this.order.splice(0, (this.training.frozen.length > 0 ? 1 : left) * this.batchSize);
            const rates = Array.from({ length: Math.ceil(order.length / this.batchSize) }, (_, index) => this.rateAt(this.step + index));
            const losses = this.training.steps(order, rates);
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
        return this.step >= this.steps || this.isLost;
    }

    /** The loss on some samples, and the share that is answered rightly; where values are learned, R². */
    score(order) {
        const { loss, accuracy } = this.training.score(order);
        const wanted = order.map((at) => Number(this.targets[at]));
        if (this.begun.task === "values") {
            const mean = wanted.reduce((sum, each) => sum + each, 0) / wanted.length;
            return { loss, score: 1 - 2 * loss * wanted.length / wanted.reduce((sum, each) => sum + (each - mean) ** 2, 0) };
        }
        const outputs = this.begun.task === "labels" ? activations(this.training.network, Float64Array.from(order, (at) => this.inputs[at])).at(-1) : null;
        return { loss, score: outputs ? wanted.filter((each, at) => each === Math.round(outputs[at])).length / wanted.length : accuracy };
    }

    frame() {
        const { network } = this.training;
        const { settings, step, stepsPerEpoch } = this;
        const learned = this.score(this.probe);
        const some = this.isOver ? this.held : this.held.slice(0, PROBE);
        const held = some.length > 0 ? this.score(some) : null;
        this.points = this.points.length < MOST_POINTS ? this.points : this.points.filter((_, index) => index % 2 === 0);
        this.points.push([step, learned.loss, learned.score, ...held ? [held.loss, held.score] : []]);
        this.path.push([network.weights[0][0], network.biases[0][0]]);
        const score = network.task === "values" ? "r2" : "accuracy";
        const table = (rows, width) => ({ data: Float32Array.from(rows.flat()), shape: [rows.length, width] });
        return {
            id: this.id, network: { ...network, path: this.path }, step, epoch: Math.ceil(step / stepsPerEpoch), epochs: settings.epochs, steps: this.steps, seconds: this.seconds,
            batch_loss: this.loss, rate: this.rateAt(Math.max(0, step - 1)), score, probe: [this.probe.length, ...held ? [some.length] : []],
            layers: this.training.gradientNorms.map((gradient, l) => ({
                neurons: network.sizes[l + 1], activation: network.parts[l].name, gradient, dead: null, saturated: null })),
            [score]: (held ?? learned).score, isOver: this.isOver, isLost: this.isLost, isStuck: !(learned.loss < this.points[0][1]),
            settings, arrays: { points: table(this.points, held ? 5 : 3), epochs: table(this.epochRows, 2) },
        };
    }
}

const NEIGHBORS = 6;
const held = {}; // samples by name, which the page sends once
let run = null;

/**
 * The page's messages to its worker: keep samples, start a run, or take some steps, where the answer is a frame, or why
 * there is none; or, with a port to answer at, take a lesson, or find the digits nearest to an image.
 */
async function carryOut({ samples, engine, begin, lesson, image, steps, frozen }, port = self) {
    try {
        if (samples) {
            held[samples.name] = samples.name === "digits" ? digitsOf(samples.bytes) : samples;
            return;
        }
        if (engine) {
            await load(engine);
        }
        if (begin) {
            run = new LocalRun(begin.settings, held[begin.name]);
        }
        if (steps) {
            run.take(steps, frozen);
        }
        const found = image && nearest(image, NEIGHBORS, held.digits);
        port.postMessage(lesson ? teach(lesson, held.digits) : found ?? run.frame());
    } catch ({ message }) {
        port.postMessage({ says: message });
    }
}

let before = Promise.resolve();

/** Obeys one message after another: loading the engine waits, and a run must not begin behind a later one. */
export function obey({ data, ports }) {
    before = before.then(() => carryOut(data, ports[0]));
}
