// Derivatives without backpropagation: two forward passes each. Touches no page.

import { activate, backward, hasKink, isElementwise, passOf } from "./network.js";

const STEP = 1e-5; // of central differences: smaller, and rounding grows; larger, and the curve shows
const EPSILON = 2 ** -52;

/**
 * What every nudge of one example starts from.
 * @param {Float64Array} x (inputs)
 * @returns {object} its size is that of the numbers that C is made of, in which it is rounded
 */
export function probeOf(network, x, y) {
    const { z, a, loss, gradient } = backward(network, x, y);
    const last = network.weights.length;
    const sum = (values) => values.reduce((total, each) => total + Math.abs(each), 0);
    const largest = z[last].reduce((most, each) => Math.max(most, Math.abs(each)), 1);
    return { network, z, a, y, size: Math.abs(loss) + largest * sum(gradient.delta[last]), tails: [] };
}

/**
 * The derivative of C by one number, from two forward passes and no backpropagation. The nudge of a weight, a bias or a
 * z moves one z of its layer and no other, so the passes start there.
 * @param {ReturnType<typeof probeOf>} probe
 * @param {"weight" | "bias" | "input" | "z"} kind the nudged number; "input" is a^0, "z" a neuron's z of layer l
 * @param {number} layer l = 1 .. L (ignored for "input")
 * @param {number} index in the flat array
 * @returns {{slope: number, rounding: number, kink: boolean}} rounding: how far off the slope may be because C is
 *     rounded; kink: whether the nudge crosses a point where an activation has no derivative
 */
export function nudge(probe, kind, layer, index) {
    const count = probe.network.sizes[layer];
    const by = kind === "weight" ? probe.a[layer - 1][Math.floor(index / count)] : 1;
    if (by === 0) {
        return { slope: 0, rounding: 0, kink: false }; // the weight of a silent input moves nothing
    }
    const j = kind === "weight" ? index % count : index;
    const end = (move) => (kind === "input" ? fromA(probe, 0, j, move) : fromZ(probe, layer, j, move));
    let step = STEP / Math.max(1, Math.abs(by));
    let ends = [by * step, -by * step].map(end);
    while (ends.some(({ kink }) => kink) && step > 1e-8) {
        step /= 10; // a kink that is only near can be left aside
        ends = [by * step, -by * step].map(end);
    }
    return {
        slope: (ends[0].loss - ends[1].loss) / (2 * step),
        rounding: 4 * EPSILON * (probe.size / step + 2 * Math.abs(by)), // the last: a - t is rounded, too
        kink: ends.some(({ kink }) => kink),
    };
}

/** C after a nudge of z^l_j. */
function fromZ(probe, l, j, move) {
    const part = probe.network.parts[l - 1];
    const before = probe.z[l][j];
    if (l === probe.network.weights.length || !isElementwise(part)) {
        return passFrom(probe, l, Float64Array.from(probe.z[l], (_, n) => Number(n === j)), move);
    }
    const end = fromA(probe, l, j, activate(part, [before + move])[0] - probe.a[l][j]);
    return { ...end, kink: end.kink || (hasKink(part) && before > 0 !== before + move > 0) };
}

/** C after a nudge of a^l_j. */
function fromA(probe, l, j, move) {
    const count = probe.network.sizes[l + 1];
    return passFrom(probe, l + 1, probe.network.weights[l].subarray(j * count, (j + 1) * count), move);
}

/** C after a step of z^l along `row`, and whether any z crossed a kink on the way. */
function passFrom(probe, l, row, move) {
    const call = (probe.tails[l] ??= tailOf(probe, l));
    call.hold();
    call.view("parameters").set(row);
    call.view("inputs")[0] = move;
    call.run();
    const z = call.view("z");
    const crosses = (part, at) => hasKink(part) && z[at].some((each, j) => each > 0 !== probe.z[l + at][j] > 0);
    return { loss: call.view("losses")[0], kink: probe.network.parts.slice(l - 1).some(crosses) };
}

/** A pass from z^l on: of a network with one input, whose first weights are the way along which z^l moves. */
function tailOf({ network, z, y }, l) {
    const tail = {
        ...network, sizes: [1, ...network.sizes.slice(l)], parts: network.parts.slice(l - 1),
        weights: [new Float64Array(network.sizes[l]), ...network.weights.slice(l)], biases: [z[l], ...network.biases.slice(l)],
    };
    return passOf(tail, new Float64Array(1), y, { is_evaluation: 1 });
}
