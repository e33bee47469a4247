// The network in float64, for one example: forward, loss, the four equations backwards, and derivatives that know
// nothing of them. It mirrors nn/network.py; tests/playground/golden.json holds it to that. Touches no page.
//
// Layers are counted from 1 here, as in the textbooks: z[l], a[l] and delta[l] are layer l's, a[0] is what layer 1
// reads; weights[l - 1] and biases[l - 1] are layer l's, since no parameters belong to a[0].

import { activate, activated, hasKink, isElementwise, throughActivation } from "./activations.js";
import { hasShortcut, lossFromZ, lossGradient, lossOf, targets } from "./losses.js";

export { readModel } from "./model_file.js";

const STEP = 1e-5; // of central differences: smaller, and rounding grows; larger, and the curve shows
const EPSILON = 2 ** -52;

/** @typedef {import("./model_file.js").Network} Network */
/**
 * @typedef {object} Trace what a forward pass leaves
 * @property {(Float64Array | null)[]} z null, then z^1 .. z^L
 * @property {Float64Array[]} a a^0 (standardized where the model does that), a^1 .. a^L
 */

/** How many layers have parameters: L. */
export function depth(network) {
    return network.weights.length;
}

/**
 * @param {Network} network
 * @param {Float64Array} x (inputs): pixels in [0, 1], or numbers in their own units
 * @returns {Trace}
 */
export function forward(network, x) {
    const scaling = network.scaling;
    const z = [null];
    const a = [scaling ? x.map((each, k) => (each - scaling.mean[k]) / scaling.scale[k]) : Float64Array.from(x)];
    for (let l = 1; l <= depth(network); l += 1) {
        z.push(weightedSums(network, l, a[l - 1]));
        a.push(activate(network.parts[l - 1], z[l]));
    }
    return { z, a };
}

/** z^l = a^(l-1) W^l + b^l, (fan_out). */
function weightedSums(network, l, inputs) {
    const W = network.weights[l - 1];
    const z = Float64Array.from(network.biases[l - 1]);
    const count = z.length;
    for (let k = 0; k < inputs.length; k += 1) {
        if (inputs[k] !== 0) {
            for (let j = 0, at = k * count; j < count; j += 1, at += 1) {
                z[j] += inputs[k] * W[at];
            }
        }
    }
    return z;
}

/**
 * The targets t of the outputs, (outputs), as the loss wants them.
 * @param {Network} network
 * @param {number | ArrayLike<number>} y class index, or a number for each output (as the network has them: standardized
 *     where the model does that)
 */
export function targetsOf(network, y) {
    return targets(network.lossPart, network.sizes[depth(network)], y);
}

/** Whether BP1 is proven to be a - t for this network's output and loss. */
export function shortcutApplies(network) {
    return hasShortcut(network.lossPart, network.parts[depth(network) - 1]);
}

/** C from the last layer's z: exact where a probability rounds to 0 or 1. */
export function lossOfTrace(network, trace, y) {
    return endLoss(network, trace.z[depth(network)], targetsOf(network, y));
}

function endLoss(network, z, t) {
    if (shortcutApplies(network)) {
        return lossFromZ(network.lossPart, z, t);
    }
    return lossOf(network.lossPart, activate(network.parts[depth(network) - 1], z), t);
}

/**
 * The four equations for one example, and dC/da^0.
 * @param {Network} network
 * @param {Trace} trace
 * @param {number | ArrayLike<number>} y
 * @returns {{delta: (Float64Array | null)[], weights: Float64Array[], biases: Float64Array[], input: Float64Array}}
 *     delta[l] of layer l = 1 .. L; weights and biases as the network's
 */
export function backward(network, trace, y) {
    const { z, a } = trace;
    const last = depth(network);
    const t = targetsOf(network, y);
    const delta = new Array(last + 1).fill(null);
    // BP1
    delta[last] = outputErrors(network, trace, t);
    // BP2
    for (let l = last - 1; l >= 1; l -= 1) {
        delta[l] = throughActivation(network.parts[l - 1], sentBack(network, l + 1, delta[l + 1]), z[l], a[l]);
    }
    // BP3, BP4
    const biases = delta.slice(1).map((each) => Float64Array.from(each));
    const weights = biases.map((each, at) => outer(a[at], each));
    return { delta, weights, biases, input: sentBack(network, 1, delta[1]) };
}

/** delta^L = dC/da^L * sigma'(z^L), which is a^L - t where output and loss are a proven pair; (outputs). */
function outputErrors(network, { z, a }, t) {
    const last = depth(network);
    return shortcutApplies(network)
        ? a[last].map((each, j) => each - t[j])
        : throughActivation(network.parts[last - 1], lossGradient(network.lossPart, a[last], t), z[last], a[last]);
}

/**
 * delta^l (W^l)^T: what the errors of layer l say about the activations it reads, (fan_in).
 * @param {Network} network
 * @param {number} l
 * @param {Float64Array} delta (fan_out)
 */
export function sentBack(network, l, delta) {
    const W = network.weights[l - 1];
    const found = new Float64Array(network.sizes[l - 1]);
    for (let k = 0, at = 0; k < found.length; k += 1) {
        let sum = 0;
        for (let j = 0; j < delta.length; j += 1, at += 1) {
            sum += W[at] * delta[j];
        }
        found[k] = sum;
    }
    return found;
}

function outer(a, delta) {
    const product = new Float64Array(a.length * delta.length);
    for (let k = 0; k < a.length; k += 1) {
        if (a[k] !== 0) {
            for (let j = 0; j < delta.length; j += 1) {
                product[k * delta.length + j] = a[k] * delta[j];
            }
        }
    }
    return product;
}

/**
 * The network after one step of gradient descent, p - r dC/dp: a new one, the old one stays.
 * @param {Network} network
 * @param {{weights: Float64Array[], biases: Float64Array[]}} gradient
 * @param {number} rate
 */
export function update(network, gradient, rate) {
    const moved = (old, slopes) => old.map((part, l) => part.map((each, n) => each - rate * slopes[l][n]));
    return { ...network, weights: moved(network.weights, gradient.weights), biases: moved(network.biases, gradient.biases) };
}

/**
 * What every nudge of one example starts from.
 * @param {Network} network
 * @param {Trace} trace
 * @param {number | ArrayLike<number>} y
 * @returns {{network: Network, trace: Trace, t: Float64Array, size: number}} size: of the numbers that C is made of, in
 *     which it is rounded
 */
export function probeOf(network, trace, y) {
    const last = depth(network);
    const sum = (values) => values.reduce((total, each) => total + Math.abs(each), 0);
    const t = targetsOf(network, y);
    const largest = trace.z[last].reduce((most, each) => Math.max(most, Math.abs(each)), 1);
    const size = Math.abs(lossOfTrace(network, trace, y)) + largest * sum(outputErrors(network, trace, t));
    return { network, trace, t, size };
}

/**
 * The derivative of C by one number, from two forward passes and no backpropagation. The nudge of a weight, a bias or a
 * z moves one z of its layer and no other, so the passes start there.
 * @param {ReturnType<typeof probeOf>} probe
 * @param {"weight" | "bias" | "input" | "z"} kind what is nudged; "input" is a^0, "z" a neuron's z of layer l
 * @param {number} layer l = 1 .. L (of no account for "input")
 * @param {number} index in the flat array
 * @returns {{slope: number, rounding: number, kink: boolean}} rounding: how far off the slope may be because C is
 *     rounded; kink: whether the nudge crosses a point where an activation has no derivative
 */
export function nudge(probe, kind, layer, index) {
    const { network, trace, t } = probe;
    const by = kind === "weight" ? trace.a[layer - 1][Math.floor(index / network.sizes[layer])] : 1;
    if (by === 0) {
        return { slope: 0, rounding: 0, kink: false }; // the weight of a silent input moves nothing
    }
    const j = kind === "weight" ? index % network.sizes[layer] : index;
    const lossAfter = (move) =>
        kind === "input" ? afterInput(network, trace, t, index, move) : afterZ(network, trace, t, layer, j, move);
    let step = STEP / Math.max(1, Math.abs(by));
    let ends = [by * step, -by * step].map(lossAfter);
    while (ends.some((end) => end.kink) && step > 1e-8) {
        step /= 10; // a kink that is only near can be left aside
        ends = [by * step, -by * step].map(lossAfter);
    }
    return {
        slope: (ends[0].loss - ends[1].loss) / (2 * step),
        rounding: 4 * EPSILON * (probe.size / step + 2 * Math.abs(by)), // the last: a - t is rounded, too
        kink: ends.some((end) => end.kink),
    };
}

function afterInput(network, trace, t, index, move) {
    return lossBehind(network, trace, t, 1, shifted(network, trace, 1, index, move));
}

/** z of a layer whose input k has moved. */
function shifted(network, trace, l, k, move) {
    const start = k * network.sizes[l];
    return trace.z[l].map((each, j) => each + move * network.weights[l - 1][start + j]);
}

function afterZ(network, trace, t, layer, j, move) {
    const part = network.parts[layer - 1];
    const before = trace.z[layer][j];
    if (layer === depth(network) || !isElementwise(part)) {
        const z = Float64Array.from(trace.z[layer]);
        z[j] += move;
        return lossBehind(network, trace, t, layer, z);
    }
    const change = activated(part, before + move) - trace.a[layer][j];
    const end = lossBehind(network, trace, t, layer + 1, shifted(network, trace, layer + 1, j, change));
    return { loss: end.loss, kink: end.kink || crosses(part, before, before + move) };
}

/** C where layer l has the weighted sums z, and whether z has crossed a kink on its way from the trace's. */
function lossBehind(network, trace, t, l, z) {
    let kink = false;
    for (; l < depth(network); l += 1) {
        const part = network.parts[l - 1];
        if (hasKink(part)) {
            for (let j = 0; j < z.length && !kink; j += 1) {
                kink = crosses(part, trace.z[l][j], z[j]);
            }
        }
        z = weightedSums(network, l + 1, activate(part, z));
    }
    return { loss: endLoss(network, z, t), kink: kink || z.some((each, j) => crosses(network.parts[l - 1], trace.z[l][j], each)) };
}

function crosses(part, before, after) {
    return hasKink(part) && before > 0 !== after > 0;
}
