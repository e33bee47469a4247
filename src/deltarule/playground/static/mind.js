// What would change a network's mind: small steps of an input along the gradient, until the answer is another. Touches
// no page.

import { backward, depth, forward } from "./engine/network.js";

const STEPS_TO_FLIP = 20; // about so many, if the network were linear
const MOST_STEPS = 80;
const BEYOND = 1.5; // the path goes on to so many times the length at which the answer changed

/**
 * @typedef {object} Place a point of the path
 * @property {Float64Array} x (inputs)
 * @property {Float64Array} outputs
 * @property {number} answer
 * @property {number} distance length of x - start
 */

/**
 * d(z^L_gain - z^L_loss)/dx, (inputs): where to go for `gain` to overtake `loss`. The outputs' order is that of their z.
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

function distanceBetween(one, other) {
    return Math.hypot(...one.map((each, k) => each - other[k]));
}

/**
 * The path from x to where another class wins, a Place at a time; it ends a little beyond, or where nothing helps.
 * @param {import("./engine/network.js").Network} network that answers classes
 * @param {Float64Array} start (inputs)
 * @param {{goal?: number | null, isImage?: boolean}} [options] goal: the class that is to win, null for whichever does
 *     soonest; isImage: pixels stay within [0, 1]
 * @yields {Place}
 */
export function* pathToAnother(network, start, { goal = null, isImage = true } = {}) {
    let x = Float64Array.from(start);
    let trace = forward(network, x);
    const from = largest(trace.a[depth(network)]);
    let flippedAt = null;
    let stride = null;
    for (let step = 0; step <= MOST_STEPS; step += 1) {
        const outputs = trace.a[depth(network)];
        const answer = largest(outputs);
        const distance = distanceBetween(x, start);
        yield { x, outputs, answer, distance };
        flippedAt ??= answer !== from && (goal === null || answer === goal) ? distance : null;
        if (goal === from || (flippedAt !== null && distance >= BEYOND * flippedAt)) {
            return;
        }
        const z = trace.z[depth(network)];
        const gain = goal ?? largest(z, from);
        const loss = largest(z, gain);
        const slope = towards(network, x, z, gain, loss);
        if (isImage) { // what is black or white already cannot become more so
            slope.forEach((each, k) => {
                slope[k] = (each > 0 && x[k] >= 1) || (each < 0 && x[k] <= 0) ? 0 : each;
            });
        }
        const steepness = Math.hypot(...slope);
        if (!(steepness > 0)) {
            return;
        }
        stride ??= Math.max((z[loss] - z[gain]) / steepness / STEPS_TO_FLIP, 1e-6);
        const moved = x.map((each, k) => each + (stride * slope[k]) / steepness);
        x = isImage ? moved.map((each) => Math.max(0, Math.min(1, each))) : moved;
        trace = forward(network, x);
    }
}
