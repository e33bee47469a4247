// A network's answers to examples, and what would change them: small steps of an input along the gradient, until
// the answer is another. Touches no page.

import { backward, forward } from "../engine/network.js";
import { lengthOf } from "../engine/training.js";

const STEPS_TO_FLIP = 20; // about so many, if the network were linear
const MOST_STEPS = 80;
const BEYOND = 1.5; // the path ends at this multiple of the length at which the answer changed

/**
 * @typedef {object} Place a point of the path
 * @property {Float64Array} x (inputs)
 * @property {Float64Array} outputs
 * @property {number} answer
 * @property {number} distance length of x - start
 */

/**
 * d(z^L_gain - z^L_loss)/dx, (inputs): the direction in which `gain` overtakes `loss`. The outputs' order is that of their z.
 * @param {Float64Array} z the outputs' at x
 */
export function towards(network, x, z, gain, loss) {
    const parts = [...network.parts.slice(0, -1), { name: "identity" }];
    const wanted = z.map((each, j) => each - Number(j === gain) + Number(j === loss)); // so that delta^L = z - t is 1 and -1
    const { input } = backward({ ...network, parts, lossPart: { name: "quadratic" } }, x, wanted).gradient;
    return network.scaling ? input.map((each, k) => each / network.scaling.scale[k]) : input;
}

/** The index of the largest value, `except` not counted. */
export function largest(values, except = -1) {
    return values.reduce((best, value, index) => (index !== except && (best < 0 || value > values[best]) ? index : best), -1);
}

/**
 * The path from x until another class wins, a Place at a time; it ends a little beyond, or when nothing helps.
 * @param {import("../shared/model_file.js").Network} network that answers classes
 * @param {Float64Array} start (inputs)
 * @param {{goal?: number | null, isImage?: boolean}} [options] goal: the class that is to win, null for whichever does
 *     soonest; isImage: pixels stay within [0, 1]
 * @yields {Place}
 */
export function* pathToAnother(network, start, { goal = null, isImage = true } = {}) {
    let x = Float64Array.from(start);
    let trace = forward(network, x);
    const from = largest(trace.a.at(-1));
    let [flippedAt, stride] = [null, null];
    for (let step = 0; step <= MOST_STEPS; step += 1) {
        const outputs = trace.a.at(-1);
        const answer = largest(outputs);
        const distance = lengthOf(x.map((each, k) => each - start[k]));
        yield { x, outputs, answer, distance };
        flippedAt ??= answer !== from && (goal === null || answer === goal) ? distance : null;
        if (goal === from || (flippedAt !== null && distance >= BEYOND * flippedAt)) {
            return;
        }
        const z = trace.z.at(-1);
        const gain = goal ?? largest(z, from);
        const loss = largest(z, gain);
        const isAtEnd = (each, k) => (each > 0 && x[k] >= 1) || (each < 0 && x[k] <= 0); // a white or black pixel
        const slope = towards(network, x, z, gain, loss).map((each, k) => (isImage && isAtEnd(each, k) ? 0 : each));
        const steepness = lengthOf(slope);
        if (!(steepness > 0)) {
            return;
        }
        stride ??= Math.max((z[loss] - z[gain]) / steepness / STEPS_TO_FLIP, 1e-6);
        const moved = x.map((each, k) => each + (stride * slope[k]) / steepness);
        x = isImage ? moved.map((each) => Math.max(0, Math.min(1, each))) : moved;
        trace = forward(network, x);
    }
}

const MOST_IN_CELL = 60;

/** The examples that a page of one file brings along: the same answers to the same questions as the server's. */
export class Held {
    /** @param {() => Promise<{x: ArrayLike<number>, label: number, pixels?: boolean}[]>} read pixels: 0..255  @param {import("../shared/store.js").Store} store */
    constructor(read, store) {
        Object.assign(this, { read, store });
    }

    /** All of them, read once. */
    all() {
        return (this.examples ??= this.read());
    }

    async example() {
        const all = await this.all();
        return all[Math.floor(Math.random() * all.length)];
    }

    async mistakes() {
        const { network } = this.store;
        const all = await this.all();
        this.store.checkExample(all[0]);
        this.rows = all.map((example, index) => {
            const x = Float64Array.from(example.x, (each) => (example.pixels === false ? each : each / 255));
            const outputs = forward(network, x).a.at(-1);
            const predicted = largest(outputs);
            return { pixels: true, ...example, index, predicted, probability: outputs[predicted] };
        });
        const names = network.classNames;
        const confusion = names.map(() => names.map(() => 0));
        this.rows.forEach(({ label, predicted }) => (confusion[label][predicted] += 1));
        const right = confusion.reduce((sum, row, index) => sum + row[index], 0);
        return { confusion, classNames: names, count: this.rows.length, right, data: "this page" };
    }

    async cell(right, predicted) {
        const found = this.rows.filter((row) => row.label === right && row.predicted === predicted);
        const sign = right === predicted ? 1 : -1;
        found.sort((one, other) => sign * (one.probability - other.probability));
        return { count: found.length, examples: found.slice(0, MOST_IN_CELL) };
    }
}
